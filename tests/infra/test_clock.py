"""What "now" means is chosen in one place."""

from datetime import UTC, datetime

import pytest

from infra.base.clock import parse_clock, wall_clock


def test_nothing_means_the_machines_clock():
    assert parse_clock("") is wall_clock
    assert parse_clock("wall") is wall_clock


def test_a_date_stands_still_at_its_start():
    assert parse_clock("2020-09-20")() == datetime(2020, 9, 20, tzinfo=UTC)


def test_events_follows_the_clock_given():
    instant = datetime(2020, 9, 20, 7, tzinfo=UTC)
    assert parse_clock("events", lambda: instant)() == instant


@pytest.mark.parametrize(("text", "advice"), [("events", "give a date"), ("yesterday", "'yesterday'; expected a date")])
def test_what_cannot_be_a_clock_is_refused_with_the_way_out(text, advice):
    with pytest.raises(ValueError, match=advice):
        parse_clock(text)
