"""A sum over purchases, by calendar day."""

from __future__ import annotations

from collections.abc import Callable

from streaming.purchase import Purchase


class Total:
    """Sums an integer of each purchase: 1 counts them, the price in micros gives the spend, exact in any order.

    Args:
        of: the integer to sum.
    """

    def __init__(self, of: Callable[[Purchase], int]) -> None:
        self._of = of

    def initialize(self) -> dict[int, int]:
        return {}

    def add(self, state: dict[int, int], purchase: Purchase) -> None:
        day = purchase.day
        state[day] = state.get(day, 0) + self._of(purchase)

    def expire(self, state: dict[int, int], first_day: int) -> None:
        for day in [day for day in state if day < first_day]:
            del state[day]

    def value(self, state: dict[int, int], first_day: int) -> int:
        return sum([amount for day, amount in state.items() if day >= first_day])
