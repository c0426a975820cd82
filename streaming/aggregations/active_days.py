"""Days on which something was bought."""

from __future__ import annotations

from streaming.purchase import Purchase


class ActiveDays:
    """Counts the calendar days with at least one purchase."""

    def initialize(self) -> set[int]:
        return set()

    def add(self, state: set[int], purchase: Purchase) -> None:
        state.add(purchase.day)

    def expire(self, state: set[int], first_day: int) -> None:
        state.difference_update([day for day in state if day < first_day])

    def value(self, state: set[int], first_day: int) -> int:
        return sum([day >= first_day for day in state])
