"""Which negatives are drawn, and what share of them that is."""

from __future__ import annotations

import numpy as np

from towers.data.negatives import sample_negatives


def test_all_positives_and_a_known_share_of_negatives_are_kept() -> None:
    labels = np.zeros(1_000, bool)
    labels[[3, 500]] = True
    rows, share = sample_negatives(labels, 100, np.random.default_rng(0))
    assert len(rows) == 102
    assert labels[rows].sum() == 2
    assert share == 100 / 998
    assert (np.diff(rows) > 0).all()


def test_few_negatives_are_all_kept() -> None:
    rows, share = sample_negatives(np.array([True, False, False]), 100, np.random.default_rng(0))
    assert rows.tolist() == [0, 1, 2]
    assert share == 1.0
