"""The last few purchases by time."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable

from streaming.purchase import DAY_MICROS, Purchase


class LatestPurchases:
    """Keeps the newest purchases in the total order (instant, event id), however late each of them arrives.

    What is pushed out of the list is older than what stays, so it would leave the window first: nothing is ever missed.

    Args:
        length: how many to keep.
    """

    def __init__(self, length: int) -> None:
        self._length = length

    def initialize(self) -> list[tuple[int, str, str]]:
        return []

    def add(self, state: list[tuple[int, str, str]], purchases: Iterable[Purchase]) -> None:
        for purchase in purchases:
            insort(state, (purchase.occurred_at_us, purchase.event_id, purchase.article_id))
        if len(state) > self._length:
            del state[: -self._length]

    def expire(self, state: list[tuple[int, str, str]], first_day: int) -> None:
        first_us = first_day * DAY_MICROS
        state[:] = [entry for entry in state if entry[0] >= first_us]

    def value(self, state: list[tuple[int, str, str]], first_day: int) -> list[tuple[int, str, str]]:
        """(instant in microseconds, event id, article id), newest first."""
        first_us = first_day * DAY_MICROS
        if state and state[0][0] >= first_us:
            return state[::-1]
        return [entry for entry in reversed(state) if entry[0] >= first_us]
