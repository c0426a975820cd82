"""Rules, on a log small enough to rank by hand."""

from __future__ import annotations

import numpy as np

from tests.towers.tower_worlds import FIRST_DAY, catalogue, snapshot_on
from towers.data.purchase_log import PurchaseLog
from towers.evaluation.peers.baselines import (
    rank_by_bought_again,
    rank_by_popularity,
    rank_by_same_product,
)
from towers.evaluation.peers.implicit import rank_by_implicit

# (customer, article, day): products are pairs 0-1, 2-3, 4-5.
ROWS = [(0, 4, 0), (1, 2, 0), (1, 2, 1), (2, 2, 3), (2, 3, 3), (3, 3, 3), (3, 3, 3), (0, 0, 6), (9, 1, 6)]


def world():
    log = PurchaseLog(*(np.array(column, np.int32) for column in zip(*ROWS, strict=True)))
    log = PurchaseLog(log.customer, log.article, log.day + FIRST_DAY)
    return snapshot_on(catalogue(6), FIRST_DAY + 6, log), log


def test_popularity_counts_units_of_the_window_before_the_day() -> None:
    snapshot, log = world()
    # Days 1 to 5: article 2 twice, article 3 three times; days 3 to 5: 2 once.
    assert rank_by_popularity(snapshot, log)[0, :2].tolist() == [3, 2]
    assert rank_by_popularity(snapshot, log, days=2)[0, :2].tolist() == [0, 1]  # nothing sold: by position
    assert rank_by_popularity(snapshot, log)[0, 6:].max() == -1


def test_the_same_product_rule_is_bought_then_its_colours_then_the_best_sellers() -> None:
    snapshot, log = world()
    assert snapshot.warm.tolist() == [True, False]
    assert rank_by_bought_again(snapshot, log)[0, :4].tolist() == [4, 3, 2, 0]
    assert rank_by_same_product(snapshot, log)[0, :4].tolist() == [4, 5, 3, 2]
    assert rank_by_same_product(snapshot, log)[1, :2].tolist() == [3, 2]  # without history: the best sellers


def test_item_neighbours_begin_with_what_is_bought_alike_and_end_with_the_best_sellers() -> None:
    rows = [(c, a, d) for c in range(20) for a in ((0, 1) if c % 2 else (2, 3)) for d in (0,)] + [
        (20, 0, 0),
        (20, 5, 1),
    ]
    log = PurchaseLog(*(np.array(column, np.int32) for column in zip(*rows, strict=True)))
    log = PurchaseLog(log.customer, log.article, log.day + FIRST_DAY)
    snapshot = snapshot_on(catalogue(6), FIRST_DAY + 1, log)
    ranked = rank_by_implicit("bm25", snapshot, log, np.array([20], np.int32), seed=1)
    # Of what was bought with article 0 the best known; 2 and 3 are nobody's neighbours of it.
    assert set(ranked[0, :2].tolist()) == {0, 1}
    assert set(ranked[0, 2:6].tolist()) == {2, 3, 4, 5}
    unknown = rank_by_implicit("bm25", snapshot, log, np.array([-1], np.int32), seed=1)
    np.testing.assert_array_equal(unknown, rank_by_popularity(snapshot, log))
