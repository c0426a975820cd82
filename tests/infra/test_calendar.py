"""Days and instants since 1970-01-01."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from infra.base.calendar import DAY_MICROS, date_of, epoch_day, epoch_micros, instant_of

INSTANTS = st.datetimes(timezones=st.just(UTC))


@given(INSTANTS)
def test_instants_come_back_and_fall_on_their_utc_day(instant: datetime) -> None:
    assert instant_of(epoch_micros(instant)) == instant
    assert epoch_day(instant) == epoch_day(instant.date()) == epoch_micros(instant) // DAY_MICROS
    assert date_of(epoch_day(instant)) == instant.date()


def test_days_are_counted_from_1970_in_utc() -> None:
    assert (epoch_day(date(1970, 1, 1)), epoch_day(date(2020, 9, 22))) == (0, 18_527)
    assert epoch_day(datetime(1970, 1, 1, 23, 59, 59, tzinfo=UTC)) == 0
    assert epoch_day(datetime(1970, 1, 2, 1, 0, tzinfo=timezone(timedelta(hours=2)))) == 0
    assert epoch_day(datetime(1969, 12, 31, 23, 59, tzinfo=UTC)) == -1
