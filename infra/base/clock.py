"""What "now" means. Every function takes it as an argument; this is where it is chosen, once, at the edge."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

Clock = Callable[[], datetime]
"""Returns the current instant, timezone-aware, UTC."""


def wall_clock() -> datetime:
    """The machine's clock."""
    return datetime.now(UTC)


def fixed_clock(day: date) -> Clock:
    """A clock that stands at the start of ``day``, for replays of historic data."""
    instant = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return lambda: instant


def parse_clock(text: str, event_clock: Clock | None = None) -> Clock:
    """Make the clock that ``VITRINE_CLOCK`` or ``--as-of`` describes.

    Args:
        text: "" or "wall" for the machine's clock, an ISO date, or "events" for the stream's watermark.
        event_clock: what "events" stands for.

    Raises:
        ValueError: the text is none of these, or "events" without a stream to follow.
    """
    if text in ("", "wall"):
        return wall_clock
    if text == "events":
        if event_clock is None:
            raise ValueError("VITRINE_CLOCK=events needs the stream's watermark; give a date such as 2020-09-20 here")
        return event_clock
    try:
        return fixed_clock(date.fromisoformat(text))
    except ValueError:
        raise ValueError(
            f"VITRINE_CLOCK or --as-of holds {text!r}; expected a date such as 2020-09-20, 'events' or nothing"
        ) from None
