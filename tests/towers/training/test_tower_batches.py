"""The towers' batches: of one day each."""

from __future__ import annotations

import numpy as np

from towers.training.tower_trainer import rows_by_day


def test_a_batch_is_of_one_day_or_of_two_where_one_ends() -> None:
    day = np.random.default_rng(3).permutation(np.repeat(np.arange(6, dtype=np.int32), 1_000))
    rows = rows_by_day(day, 128, np.random.default_rng(1))
    assert rows.shape == (46, 128)
    assert np.unique(rows).size == rows.size  # nothing twice in an epoch
    days = [set(day[batch].tolist()) for batch in rows]
    assert all(len(of_batch) == 1 or (max(of_batch) - min(of_batch) == 1 and len(of_batch) == 2) for of_batch in days)
    assert sum(len(of_batch) == 2 for of_batch in days) <= 5


def test_epochs_differ_in_order_and_in_what_is_left_out() -> None:
    rng = np.random.default_rng(1)
    day = np.repeat(np.arange(2, dtype=np.int32), 70)
    epochs = [rows_by_day(day, 64, rng) for _ in range(30)]
    assert set(np.concatenate(epochs).ravel().tolist()) == set(range(140))
    assert not np.array_equal(np.sort(epochs[0], axis=None), np.sort(epochs[1], axis=None))


def test_days_too_small_for_a_batch_share_one_with_their_neighbours() -> None:
    day = np.repeat(np.arange(64, dtype=np.int32), 4)
    rows = rows_by_day(day, 64, np.random.default_rng(5))
    assert all(np.ptp(day[batch]) == 15 for batch in rows)
