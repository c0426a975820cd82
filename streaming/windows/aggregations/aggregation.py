"""The interface of all aggregations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol, TypeVar

from feature_repo.events.purchase import Purchase
from streaming.events.purchase_columns import Ints, PurchaseColumns

State = TypeVar("State")


class Aggregation(Protocol[State]):
    """Folds the purchases of one customer or article into a value for any number of last days.

    Purchases come in any order of time, each once. The state must not depend on that order, or a replay after a crash
    would give another value.
    """

    def initialize(self) -> State:
        """The state of an entity without purchases: a mutable container."""
        ...

    def add(self, state: State, purchases: Iterable[Purchase]) -> None:
        """Take purchases in."""
        ...

    def expire(self, state: State, first_day: int) -> None:
        """Forget what is dated before ``first_day``; later calls of ``value`` never ask for it again."""
        ...

    def value(self, state: State, first_day: int) -> Any:
        """The value over the purchases dated ``first_day`` or later. The state stays as it is."""
        ...


class ColumnAggregation(Aggregation[State], Protocol[State]):
    """One that can also tell the values of many small windows at once, straight from their purchases.

    It need not: a window of which one feature reads an aggregation without ``column`` is folded one by one, which takes
    three times as long.
    """

    def column(self, purchases: PurchaseColumns, first_day: Ints) -> Any:
        """``value`` of each window, over its purchases dated on its ``first_day`` [w] or later: columns of [w]."""
        ...
