"""Which purchases are in the window already: the guard against a producer that sends twice."""

from __future__ import annotations

from collections.abc import Iterable

from feature_repo.events.purchase import Purchase
from infra.base.calendar import DAY_MICROS


class EventIds:
    """Remembers for each event id by which partition and offset it came first.

    The offset tells the first delivery, read again after a crash, from a second sending of the same purchase.
    """

    def initialize(self) -> dict[str, tuple[int, int, int]]:
        return {}

    def add(self, state: dict[str, tuple[int, int, int]], purchases: Iterable[Purchase]) -> None:
        for purchase in purchases:
            state[purchase.event_id] = (purchase.partition, purchase.offset, purchase.occurred_at_us)

    def expire(self, state: dict[str, tuple[int, int, int]], first_day: int) -> None:
        first_us = first_day * DAY_MICROS
        for event_id in [event_id for event_id, (_, _, at_us) in state.items() if at_us < first_us]:
            del state[event_id]

    def value(self, state: dict[str, tuple[int, int, int]], first_day: int) -> int:
        """How many purchases are remembered from ``first_day`` on."""
        first_us = first_day * DAY_MICROS
        return sum([at_us >= first_us for _, _, at_us in state.values()])
