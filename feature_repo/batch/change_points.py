"""Windows by the sweep: a purchase adds to its entity when it enters a window and takes away when it leaves.

A row stamped X holds what was known at X 00:00, so a purchase of day P enters at X = P + 1 and leaves a window of N
calendar days at X = P + N. An entity's *change points* are the days on which something enters or leaves; between them
its features stand still, so one row per change point says everything, without a row per day. Running totals over
change points are exact, for they add integers.
"""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr.types import IntegerScalar, IntegerValue, Table

from infra.base.calendar import epoch_day

STAMP = "stamp"  # epoch day at whose start a row is known


def enter(table: Table, key: str, **amounts: IntegerValue | int) -> Table:
    """Changes (``key``, ``stamp``, amounts) as purchases enter, on the day after theirs."""
    return table.select(key, stamp=table.day + 1, **{name: ibis.literal(0) + value for name, value in amounts.items()})


def leave(table: Table, key: str, at: IntegerValue, **amounts: IntegerValue | int) -> Table:
    """Changes (``key``, ``stamp``, amounts) as purchases leave a window at the start of day ``at``."""
    return table.select(key, stamp=at, **{name: ibis.literal(0) - value for name, value in amounts.items()})


def running_totals(key: str, *changes: Table, latest: str | None = None) -> Table:
    """Add up changes into one row per entity and change point: ``key``, ``stamp`` and the total of every amount.

    Of the amount named ``latest``, an instant, the greatest so far is taken instead of the sum.
    """
    amounts = list(dict.fromkeys(name for table in changes for name in table.columns if name not in (key, STAMP)))
    aligned = [
        table.select(
            key, STAMP, **{name: table[name] if name in table.columns else ibis.literal(0) for name in amounts}
        )
        for table in changes
    ]
    steps = ibis.union(*[table.cast(dict.fromkeys(amounts, "int64")) for table in aligned])
    by_point = steps.group_by([key, STAMP]).aggregate(**{name: _total(steps, name, latest) for name in amounts})
    so_far = ibis.cumulative_window(group_by=by_point[key], order_by=by_point[STAMP])
    totals = {name: _total(by_point, name, latest).over(so_far) for name in amounts}
    return by_point.select(key, STAMP, **totals)


def _total(table: Table, name: str, latest: str | None) -> IntegerScalar:
    return table[name].max() if name == latest else table[name].sum()


def counterpart_days(purchases: Table, key: str, counterpart: str, window_days: int) -> Table:
    """Days on which an entity met a counterpart, each with ``leaves``: the stamp at which it counts no more.

    A day leaves when the window has passed it, or when the next such day enters, so that adding one for each counts
    *distinct* counterparts in the window.
    """
    met = purchases.select(key, counterpart, "day").distinct()
    in_order = ibis.window(group_by=[met[key], met[counterpart]], order_by=met.day)
    following = met.mutate(next_enters=met.day.lead().over(in_order) + 1)
    passed = following.day + window_days
    return following.mutate(leaves=ibis.least(passed, following.next_enters.fill_null(passed)))


def within_reach(purchases: Table, window_days: int, snapshots_from: date | None) -> Table:
    """Leave out purchases that can be in no row of a windowed view that is asked from ``snapshots_from`` on.

    A purchase is gone from the window after ``window_days``, and the row that says so outlives its view's time to live,
    the same number of days, before ``snapshots_from``.
    """
    if snapshots_from is None:
        return purchases
    return purchases.filter(purchases.day >= epoch_day(snapshots_from) - 2 * window_days)


def known_between(rows: Table, key: str, snapshots_from: date | None, until: date) -> Table:
    """Keep the rows that answer every question from ``snapshots_from`` to ``until``.

    These are the change points between the two days, and each entity's last one before: its state as of
    ``snapshots_from``. It keeps its own stamp, so that it grows too old when it would have.
    """
    rows = rows.filter(rows[STAMP] <= epoch_day(until))
    if snapshots_from is None:
        return rows
    newest_first = ibis.window(group_by=rows[key], order_by=rows[STAMP])
    with_next = rows.mutate(next_stamp=rows[STAMP].lead().over(newest_first))
    first_day = epoch_day(snapshots_from)
    return with_next.filter((with_next.next_stamp > first_day) | with_next.next_stamp.isnull()).drop("next_stamp")
