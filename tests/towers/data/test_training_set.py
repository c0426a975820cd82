"""Training pairs: new products only, and nothing of the target's own day but the rest of its basket."""

from __future__ import annotations

import numpy as np

from tests.towers.tower_worlds import FIRST_DAY, VOCABULARIES, catalogue, purchases_of_two_styles, snapshot_on
from towers.data.purchase_log import PurchaseLog
from towers.data.training_set import make_training_set


def pairs_of(rows: list[tuple[int, int, int]], day: int):  # type: ignore[no-untyped-def]
    log = PurchaseLog(*(np.array(column, np.int32) for column in zip(*rows, strict=True)))
    return make_training_set([snapshot_on(catalogue(), day, log)], VOCABULARIES, np.random.default_rng(0))


def test_a_first_basket_of_two_gives_two_next_purchases_and_two_basket_pairs() -> None:
    pairs = pairs_of([(0, 8, FIRST_DAY), (0, 13, FIRST_DAY)], FIRST_DAY)
    assert pairs.article.tolist() == [8, 13, 8, 13]
    assert pairs.recent[:, 0].tolist() == [-1, -1, 13, 8]
    assert pairs.recent_age_days[2:, 0].tolist() == [0, 0]


def test_products_bought_before_and_other_colours_of_them_are_no_targets() -> None:
    history = [(0, 8, FIRST_DAY)]
    today = [(0, 8, FIRST_DAY + 1), (0, 9, FIRST_DAY + 1), (0, 20, FIRST_DAY + 1)]
    pairs = pairs_of(history + today, FIRST_DAY + 1)
    assert pairs.article.tolist() == [20]
    assert pairs.recent[0, 0] == 8
    assert pairs.recent_age_days[0, 0] == 1


def test_a_basket_shows_no_other_colour_of_its_target() -> None:
    pairs = pairs_of([(0, 8, FIRST_DAY), (0, 9, FIRST_DAY), (0, 30, FIRST_DAY)], FIRST_DAY)
    for article, recent in zip(pairs.article[3:], pairs.recent[3:], strict=True):
        assert article // 2 not in {position // 2 for position in recent if position >= 0}


def test_no_pair_sees_its_own_target_or_a_later_purchase() -> None:
    log = purchases_of_two_styles()
    snapshots = [snapshot_on(catalogue(), FIRST_DAY + day, log) for day in (3, 4)]
    pairs = make_training_set(snapshots, VOCABULARIES, np.random.default_rng(0))
    assert len(pairs) > 100
    assert not (pairs.recent == pairs.article[:, None]).any()
    assert set(pairs.day.tolist()) == {0, 1}
    assert len(pairs.numeric) == sum(len(snapshot.customers) for snapshot in snapshots)
    assert pairs.query.max() == len(pairs.numeric) - 1
