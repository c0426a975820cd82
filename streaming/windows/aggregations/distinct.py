"""An exact count of different things."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable
from typing import Any

import numpy as np

from feature_repo.events.purchase import Purchase
from streaming.events.purchase_columns import Ints, PurchaseColumns


class Distinct:
    """Counts different articles of a customer, or different buyers of an article; no sketch, no estimate.

    A member stays until its *last* day leaves, so one day per member is all there is to remember, and a tally by last
    day answers ``value`` without walking the members: a bestseller has thousands.

    Args:
        of: the thing to tell apart, of a purchase; of many, a column.
    """

    def __init__(self, of: Callable[[Any], Any]) -> None:
        self._of = of

    def initialize(self) -> tuple[dict[Hashable, int], dict[int, int]]:
        return {}, {}

    def add(self, state: tuple[dict[Hashable, int], dict[int, int]], purchases: Iterable[Purchase]) -> None:
        last_days, members_by_last_day = state
        of = self._of
        for purchase in purchases:
            member, day = of(purchase), purchase.day
            known = last_days.get(member)
            if known is not None:
                if known >= day:
                    continue
                members_by_last_day[known] -= 1
            last_days[member] = day
            members_by_last_day[day] = members_by_last_day.get(day, 0) + 1

    def expire(self, state: tuple[dict[Hashable, int], dict[int, int]], first_day: int) -> None:
        last_days, members_by_last_day = state
        leaving = [day for day in members_by_last_day if day < first_day]
        if not leaving:
            return
        for day in leaving:
            del members_by_last_day[day]
        for member in [member for member, day in last_days.items() if day < first_day]:
            del last_days[member]

    def value(self, state: tuple[dict[Hashable, int], dict[int, int]], first_day: int) -> int:
        return sum([members for day, members in state[1].items() if day >= first_day])

    def column(self, purchases: PurchaseColumns, first_day: Ints) -> Ints:
        members = self._of(purchases)
        pairs = purchases.owner * len(members.dictionary) + members.indices.to_numpy()
        different = np.unique(pairs[purchases.since(first_day)])
        return np.bincount(different // len(members.dictionary), minlength=first_day.size)
