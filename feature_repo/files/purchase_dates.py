"""Which dates of purchases to believe: one wrong date must not move the clock that every feature hangs on.

Two judges. The machine's clock: nothing was bought after tomorrow, or before ``BEGINNING``, where missing times end up.
The bulk of the purchases: starting from the one in their middle, a day is believed unless it lies far from the nearest
one believed and fewer than ``WITNESSES`` customers bought on it or beyond. Far is ``LEAP_DAYS``, and more where
purchases are rare. The stream believes its events by the same two numbers.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate, pairwise

BEGINNING = date(2000, 1, 1)
"""Before any purchase: the stamp of values that hold at all times."""
LEAP_DAYS = 7
WITNESSES = 3
_FEWEST = 10  # purchases that make a bulk


@dataclass(frozen=True)
class BelievedDays:
    """The first and the last day to believe."""

    first: date
    last: date


def possible_days(today: date) -> BelievedDays:
    """What the machine's clock allows; one day more than today, for shops east of here."""
    return BelievedDays(BEGINNING + timedelta(days=1), today + timedelta(days=1))


def believed_days(sold: Sequence[tuple[date, int]], customers: Callable[[date, date], int]) -> BelievedDays:
    """What the bulk of the purchases allows.

    Args:
        sold: days in order, and how many purchases each has, at least one; not empty.
        customers: how many different customers bought from one day to another, both included.
    """
    days = [day for day, _ in sold]
    sums = list(accumulate(count for _, count in sold))
    if sums[-1] < _FEWEST:
        return BelievedDays(days[0], days[-1])
    leap = timedelta(days=LEAP_DAYS * max(1, _middle_gap_days(days, sums[-1])))
    middle = bisect_left(sums, (sums[-1] + 1) // 2)
    first, last = middle, middle
    while last + 1 < len(days) and (
        days[last + 1] - days[last] <= leap or customers(days[last + 1], days[-1]) >= WITNESSES
    ):
        last += 1
    while first and (days[first] - days[first - 1] <= leap or customers(days[0], days[first - 1]) >= WITNESSES):
        first -= 1
    return BelievedDays(days[first], days[last])


def _middle_gap_days(days: Sequence[date], purchases: int) -> int:
    """The median of the days from one purchase to the next: 0 where most days have several."""
    gaps = sorted((later - earlier).days for earlier, later in pairwise(days))
    same_day = purchases - len(days)
    place = (purchases - 2) // 2  # the lower one in the middle of ``purchases - 1`` gaps
    return 0 if place < same_day else gaps[place - same_day]
