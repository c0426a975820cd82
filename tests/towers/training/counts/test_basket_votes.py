"""Every basket has one vote."""

import numpy as np
import pytest

from tests.serving.retrieval_worlds import TODAY
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.basket_votes import MEMORY_DAYS, SMOOTHING_UNITS, votes_per_unit


def log(*rows: tuple[int, int, int]) -> PurchaseLog:
    """Purchases of (customer, article, days ago)."""
    ordered = sorted(rows, key=lambda row: -row[2])
    customer, article, ago = np.asarray(ordered, np.int32).reshape(-1, 3).T
    return PurchaseLog(customer, article, TODAY - ago)


def test_an_article_bought_alone_has_more_votes_than_one_of_a_full_basket():
    alone = [(customer, 0, 1) for customer in range(200)]
    full = [(customer, article, 1) for customer in range(200, 400) for article in range(1, 11)]
    votes = votes_per_unit(log(*alone, *full), 12)
    usual = 400 / 2_200
    assert votes[0] == pytest.approx((200 + SMOOTHING_UNITS * usual) / (200 + SMOOTHING_UNITS))
    assert votes[1:11] == pytest.approx((20 + SMOOTHING_UNITS * usual) / (200 + SMOOTHING_UNITS))
    assert votes[11] == pytest.approx(usual), "never sold"


def test_all_votes_together_are_as_many_as_baskets():
    rng = np.random.default_rng(3)
    rows = [tuple(row) for row in rng.integers([0, 0, 1], [9, 5, 6], (400, 3)).tolist()]
    votes = votes_per_unit(log(*rows), 5)
    units = np.bincount([article for _, article, _ in rows], minlength=5)
    baskets = len({(customer, ago) for customer, _, ago in rows})
    # Undone smoothing: what each article had.
    had = votes * (units + SMOOTHING_UNITS) - SMOOTHING_UNITS * baskets / 400
    assert had.sum() == pytest.approx(baskets, rel=1e-5)


def test_a_second_unit_in_a_basket_has_no_vote_and_a_second_visit_has_one():
    again = votes_per_unit(log((0, 0, 2), (0, 0, 1)), 1)
    twice = votes_per_unit(log((0, 0, 1), (0, 0, 1)), 1)
    assert again[0] == 1.0
    assert twice[0] == 0.5


def test_baskets_that_are_long_ago_do_not_vote():
    recent = [(1, 0, 1), (2, 0, 1), (2, 1, 1)]
    assert votes_per_unit(log((0, 1, MEMORY_DAYS + 1), *recent), 2) == pytest.approx(votes_per_unit(log(*recent), 2))


def test_without_purchases_every_unit_counts_the_same():
    assert votes_per_unit(log(), 3).tolist() == [1.0, 1.0, 1.0]
