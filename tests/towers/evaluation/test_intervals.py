"""Bootstrap intervals against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from towers.evaluation.bootstrap import intervals, resampled_means


def test_the_interval_of_a_mean_is_the_normal_one_for_many_cases() -> None:
    values = np.random.default_rng(0).normal(3.0, 2.0, size=(2_000, 1))
    (interval,) = intervals(values, resampled_means(values, seed=1))
    half = 1.96 * values.std() / np.sqrt(2_000)
    assert interval.mean == pytest.approx(values.mean())
    assert interval.low == pytest.approx(values.mean() - half, abs=0.15 * half)
    assert interval.high == pytest.approx(values.mean() + half, abs=0.15 * half)


def test_columns_share_their_draws_so_that_a_constant_lead_has_no_interval() -> None:
    values = np.random.default_rng(0).random((50, 1))
    means = resampled_means(np.hstack([values, values + 0.25]), seed=1)
    np.testing.assert_allclose(means[:, 1] - means[:, 0], 0.25)
    assert means[:, 0].std() > 0.01


def test_draws_are_those_of_a_plain_loop() -> None:
    values = np.array([[1.0], [10.0], [100.0]])
    rng = np.random.default_rng(4)
    drawn = rng.integers(3, size=(1_000, 3))
    np.testing.assert_allclose(resampled_means(values, seed=4)[:, 0], values[drawn, 0].mean(axis=1))
