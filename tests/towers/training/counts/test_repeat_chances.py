"""What is bought again on a later visit, in logs whose answer can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from towers.data.purchase_log import PurchaseLog
from towers.training.counts.repeat_chances import (
    ARTICLE_SMOOTHING,
    CATEGORY_SMOOTHING,
    LATER_DAYS,
    LATER_VISITS,
    repeat_chances,
)

SOCKS, SHIRTS, HATS = 0, 1, 2
CATEGORIES = np.asarray([[SOCKS], [SOCKS], [SHIRTS], [SHIRTS], [HATS]], np.int32)
"""Of five articles."""


def log(*purchases: tuple[int, int, int]) -> PurchaseLog:
    """(customer, article, day), in the order of days as a log has it."""
    customer, article, day = np.asarray(sorted(purchases, key=lambda row: row[2]), np.int32).reshape(-1, 3).T
    return PurchaseLog(customer, article, day)


def socks_again(customers: int) -> PurchaseLog:
    """Everybody buys sock 0 and shirt 2 on day 1, and the sock again on day 3."""
    return log(*((c, article, day) for c in range(customers) for article, day in ((0, 1), (2, 1), (0, 3))))


def test_odds_and_chance_are_those_counted_by_hand() -> None:
    customers = 60
    odds, chance = repeat_chances(socks_again(customers), CATEGORIES)
    # 120 chances, 60 of them taken: a mean of 1/2. Socks 60 of 60, shirts 0 of 60, each with 30 more at the mean.
    socks = (customers + CATEGORY_SMOOTHING / 2) / (customers + CATEGORY_SMOOTHING)
    shirts = (CATEGORY_SMOOTHING / 2) / (customers + CATEGORY_SMOOTHING)
    np.testing.assert_allclose(odds, np.log(np.asarray([socks, socks, shirts, shirts, 0.5]) / 0.5), atol=1e-6)
    of_sock = (customers + ARTICLE_SMOOTHING * socks) / (customers + ARTICLE_SMOOTHING)
    assert np.exp(chance[0]) == pytest.approx(of_sock, rel=1e-4)
    assert np.exp(chance[1]) == pytest.approx(socks, rel=1e-4)  # never sold: as its category


def test_who_never_comes_back_says_nothing() -> None:
    back = socks_again(20)
    lost = log(*((1_000 + customer, 2, 1) for customer in range(500)))
    joined = PurchaseLog(*(np.concatenate([getattr(lost, name), getattr(back, name)]) for name in vars(lost)))
    np.testing.assert_array_equal(repeat_chances(joined, CATEGORIES)[0], repeat_chances(back, CATEGORIES)[0])


def test_two_pieces_on_one_day_are_no_visit_apart() -> None:
    odds, chance = repeat_chances(log((0, 0, 1), (0, 0, 1), (1, 2, 1)), CATEGORIES)
    assert (odds == 0).all()
    assert np.exp(chance).max() < 1e-5


@pytest.mark.parametrize(
    ("visits_between", "days", "counts"),
    [(0, LATER_DAYS, True), (0, LATER_DAYS + 1, False), (LATER_VISITS - 1, 9, True), (LATER_VISITS, 9, False)],
)
def test_baskets_are_followed_so_many_visits_and_days(visits_between: int, days: int, counts: bool) -> None:
    between = [(0, 2, 1 + visit) for visit in range(visits_between)]
    again, not_again = (repeat_chances(log((0, 0, 0), *between, (0, last, days)), CATEGORIES)[1][0] for last in (0, 4))
    assert bool(again > not_again) == counts


def test_the_order_of_the_log_within_a_day_does_not_matter() -> None:
    purchases = [(c, a, d) for c in range(9) for a, d in ((c % 5, 1), ((c + 1) % 5, 1), (c % 3, 2), (4, 5))]
    shuffled = [purchases[row] for row in np.random.default_rng(5).permutation(len(purchases))]
    one, other = repeat_chances(log(*purchases), CATEGORIES), repeat_chances(log(*shuffled), CATEGORIES)
    np.testing.assert_array_equal(one, other)


def test_an_empty_log_says_nothing() -> None:
    odds, chance = repeat_chances(log(), CATEGORIES)
    assert (odds == 0).all()
    assert np.isfinite(chance).all()
