"""Which negatives are drawn, and how likely."""

from __future__ import annotations

import numpy as np

from towers.data.negatives import mixed_sampling_probability, sample_negatives


def test_sampling_probability_mixes_popularity_with_uniform_draws() -> None:
    probability = mixed_sampling_probability(np.array([0, 0, 1, 0], np.int32), 4, batch_size=100, uniform_negatives=100)
    np.testing.assert_allclose(probability, [(75 + 25) / 200, (25 + 25) / 200, 25 / 200, 25 / 200])


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
