"""When something was bought last."""

from __future__ import annotations

from streaming.purchase import DAY_MICROS, Purchase


class LastInstant:
    """The instant of the newest purchase, microseconds since 1970-01-01, or None."""

    def initialize(self) -> list[int]:
        return []

    def add(self, state: list[int], purchase: Purchase) -> None:
        if not state:
            state.append(purchase.occurred_at_us)
        elif purchase.occurred_at_us > state[0]:
            state[0] = purchase.occurred_at_us

    def expire(self, state: list[int], first_day: int) -> None:
        if state and state[0] < first_day * DAY_MICROS:
            state.clear()

    def value(self, state: list[int], first_day: int) -> int | None:
        return state[0] if state and state[0] >= first_day * DAY_MICROS else None
