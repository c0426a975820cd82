"""Sources that are right at known places."""

import numpy as np
import pytest

from serving.retrieval.source_precision import STEPS, precision_of_any
from towers.training.counts.source_precision import SMOOTHING, fit_source_precision


def test_a_source_is_trusted_as_far_as_it_was_right():
    # One source's first place is always right, the other's second place every other time.
    answers = []
    for case in range(400):
        ranks = np.array([[0, -1], [1, 0], [-1, 1]], np.int32)
        answers.append((ranks, np.array([True, False, case % 2 == 0])))
    chances = fit_source_precision(("sure", "late"), answers)
    assert chances["sure"][0] == pytest.approx((400 + SMOOTHING * 0.5) / (400 + SMOOTHING))
    assert chances["sure"][1] == pytest.approx(SMOOTHING * 0.5 / (400 + SMOOTHING), abs=0.02)
    # A later place is never trusted more than an earlier one: both get what they were together.
    assert chances["late"][:2] == pytest.approx(0.25, abs=0.01)
    for falling in chances.values():
        assert falling.shape == STEPS.shape
        assert (np.diff(falling) <= 0).all()


def test_a_source_without_answers_is_never_right():
    chances = fit_source_precision(("silent",), [(np.array([[-1]], np.int32), np.array([True]))])
    assert (chances["silent"] == 0).all()


def test_two_sources_that_agree_are_likelier_right_than_either():
    half, tenth = np.full(len(STEPS), 0.5, np.float32), np.full(len(STEPS), 0.1, np.float32)
    ranks = np.array([[3, -1], [-1, 700], [3, 700], [-1, -1]], np.int32)
    assert precision_of_any(ranks, [half, tenth]) == pytest.approx([0.5, 0.1, 0.55, 0.0])


def test_a_step_holds_until_the_next_begins():
    chances = np.linspace(1, 0, len(STEPS)).astype(np.float32)
    for number, first in enumerate(STEPS.tolist()):
        last = STEPS[number + 1] - 1 if number + 1 < len(STEPS) else 9_999
        ranks = np.array([[first], [last]], np.int32)
        assert precision_of_any(ranks, [chances]) == pytest.approx([chances[number]] * 2)
