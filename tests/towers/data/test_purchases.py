"""Which days are fit to learn from."""

from __future__ import annotations

import numpy as np
import pytest

from infra.base.errors import UserError
from towers.data import purchases as purchases_module
from towers.data.purchase_log import PurchaseLog
from towers.data.purchases import training_days


def log(counts: dict[int, int]) -> PurchaseLog:
    day = np.repeat(list(counts), list(counts.values())).astype(np.int32)
    return PurchaseLog(np.zeros_like(day), np.zeros_like(day), day)


def test_a_day_whose_popularity_window_is_empty_teaches_nothing() -> None:
    # A few customers' history, then the whole shop: day 16 has a window of next to nothing.
    purchases = log({13: 30, 14: 30, 15: 30, 16: 27_000, 17: 40_000, 18: 39_000, 19: 36_000})
    assert training_days(purchases, before=20, limit=14, customers_per_day=100) == [17, 18, 19]


def test_the_last_days_before_the_limit_are_taken() -> None:
    purchases = log(dict.fromkeys(range(10, 40), 100))
    assert training_days(purchases, before=30, limit=3, customers_per_day=100) == [27, 28, 29]


def test_a_large_shop_is_learned_from_by_fewer_days(monkeypatch: pytest.MonkeyPatch) -> None:
    day = np.repeat(np.arange(10, 40, dtype=np.int32), 100)
    customer = np.tile(np.arange(100, dtype=np.int32), 30)
    purchases = PurchaseLog(customer, np.zeros_like(day), day)
    monkeypatch.setattr(purchases_module, "MOST_CASES", 550)
    assert training_days(purchases, before=40, limit=30, customers_per_day=1_000) == [35, 36, 37, 38, 39]
    assert training_days(purchases, before=40, limit=30, customers_per_day=60) == list(range(31, 40))
    monkeypatch.setattr(purchases_module, "MOST_CASES", 50)
    assert training_days(purchases, before=40, limit=30, customers_per_day=1_000) == [38, 39]


@pytest.mark.parametrize("counts", [{10: 50, 11: 40}, {10: 500, 11: 1, 12: 1}, {10: 5, 40: 5}])
def test_a_young_shop_learns_from_all_its_days(counts: dict[int, int]) -> None:
    assert training_days(log(counts), before=50, limit=14, customers_per_day=100) == list(counts)


def test_the_youngest_days_of_a_young_shop_are_taken() -> None:
    purchases = log({10: 500, 11: 1, 12: 1})
    assert training_days(purchases, before=20, limit=2, customers_per_day=100) == [11, 12]


@pytest.mark.parametrize(
    ("counts", "complaint"),
    [
        ({10: 5}, "all purchases before 1970-01-13 are of 1970-01-11; training takes purchases of two days at least"),
        ({10: 5, 12: 5}, "all purchases before 1970-01-13 are of 1970-01-11"),
        ({15: 5, 16: 5}, "there are no purchases before 1970-01-13, the first are of 1970-01-16"),
        ({}, "there are no purchases of articles in the catalogue"),
    ],
)
def test_less_than_two_days_are_an_error_in_dates(counts: dict[int, int], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        training_days(log(counts), before=12, limit=3, customers_per_day=100)
