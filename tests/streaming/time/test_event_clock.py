"""What time it is according to the purchases: never back, not past the slowest, and no leap on one till's say."""

from __future__ import annotations

from streaming.time.event_clock import EventClock, WatermarkPolicy
from tests.streaming.worlds import DAY, purchase


def test_partitions_read_to_their_end_do_not_hold_the_clock_back() -> None:
    clock = EventClock()
    clock.observe({0: ([purchase("anna", "1", DAY)], False), 1: ([purchase("ben", "1", DAY + 3)], False)})
    assert (clock.day, clock.horizon_day) == (DAY, DAY + 3)
    clock.observe({0: ([], True)})
    assert clock.day == DAY + 3


def test_a_partition_that_was_not_read_yet_holds_the_clock() -> None:
    clock = EventClock()
    clock.expect([0, 1])
    clock.observe({0: ([purchase("anna", "1", DAY)], True)})
    assert clock.now_us == 0
    clock.observe({1: ([], True)})
    assert clock.day == DAY


def test_the_clock_never_goes_back() -> None:
    clock = EventClock()
    clock.observe({0: ([purchase("anna", "1", DAY)], True)})
    clock.observe({1: ([purchase("ben", "1", DAY - 5)], False)})
    assert clock.day == DAY


def test_a_leap_is_believed_when_three_customers_make_it() -> None:
    clock = EventClock(WatermarkPolicy(leap_days=7, confirmations=3))
    clock.observe({0: ([purchase("anna", "1", DAY)], True)})
    clock.observe({0: ([purchase("ben", "1", DAY + 365), purchase("ben", "2", DAY + 366)], True)})
    assert clock.day == DAY
    clock.observe({0: ([purchase("cleo", "1", DAY + 300), purchase("dora", "1", DAY + 301)], True)})
    assert clock.day == DAY + 300  # what three agree on; ben's later one is still alone


def test_many_days_in_one_round_are_no_leap_even_if_partitions_take_turns() -> None:
    clock = EventClock()
    even = [purchase("anna", "1", DAY + day) for day in range(0, 60, 10)]
    odd = [purchase("ben", "1", DAY + day) for day in range(5, 60, 10)]
    clock.observe({0: (even, True), 1: (odd, True)})
    assert clock.day == DAY + 55


def test_a_leap_is_believed_when_the_days_between_have_come() -> None:
    clock = EventClock()
    clock.observe({0: ([purchase("anna", "1", DAY)], True)})
    clock.observe({0: ([purchase("anna", "1", DAY + 10)], True)})
    assert clock.day == DAY
    clock.observe({1: ([purchase("ben", "1", DAY + 5)], True)})
    assert clock.day == DAY + 10


def test_workers_learn_from_each_other_how_far_partitions_are() -> None:
    ahead, behind = EventClock(), EventClock()
    ahead.observe({0: ([purchase("anna", "1", DAY + 2)], False)})
    behind.observe({1: ([purchase("ben", "1", DAY)], False)})
    published = behind.published(1)
    assert published is not None
    ahead.learn(1, published)
    ahead.observe({0: ([], False)})
    assert ahead.day == DAY + 2  # it never goes back
    ahead.forget([1])
    ahead.observe({0: ([purchase("anna", "1", DAY + 3)], False)})
    assert ahead.day == DAY + 3
