"""Days and instants as the tables count them: since 1970-01-01, in UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

EPOCH = date(1970, 1, 1)
_FIRST_INSTANT = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

DAY_SECONDS = 86_400
DAY_MICROS = DAY_SECONDS * 1_000_000


def epoch_day(when: date | datetime) -> int:
    """Days from 1970-01-01 to a date, or to the UTC day of an instant with a time zone."""
    if isinstance(when, datetime):
        return epoch_micros(when) // DAY_MICROS
    return (when - EPOCH).days


def date_of(day: int) -> date:
    """The date that is ``day`` days after 1970-01-01."""
    return EPOCH + timedelta(days=int(day))


def epoch_micros(instant: datetime) -> int:
    """Microseconds from 1970-01-01 to an instant with a time zone."""
    return (instant - _FIRST_INSTANT) // _MICROSECOND


def instant_of(micros: int) -> datetime:
    """The instant, UTC, that is ``micros`` microseconds after 1970-01-01."""
    return _FIRST_INSTANT + timedelta(microseconds=micros)
