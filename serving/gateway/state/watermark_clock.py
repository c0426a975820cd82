"""The stream's watermark as a clock, for replays of the past: ``VITRINE_CLOCK=events``."""

from __future__ import annotations

from datetime import UTC, datetime

from infra.base.clock import Clock, parse_clock


class WatermarkClock:
    """Stands at the latest instant it was told of; never goes back."""

    def __init__(self) -> None:
        self._now: datetime | None = None

    def __call__(self) -> datetime:
        """The watermark; the wall's time as long as nothing was heard."""
        return self._now or datetime.now(UTC)

    def advance(self, instant: datetime) -> None:
        """Take note of a later instant; an earlier one changes nothing."""
        if self._now is None or instant > self._now:
            self._now = instant

    def advance_to(self, text: bytes | str) -> None:
        """The same for an ISO instant as the worker writes it.

        Raises:
            ValueError: not an instant with a time zone.
        """
        instant = datetime.fromisoformat(text.decode() if isinstance(text, bytes) else text)
        if instant.tzinfo is None:
            raise ValueError(f"event clock {text!r} has no time zone")
        self.advance(instant)


def gateway_clock(text: str, event_clock: WatermarkClock) -> Clock:
    """The clock that ``VITRINE_CLOCK`` names: the wall's, a fixed day, or the stream's."""
    return parse_clock(text, event_clock)
