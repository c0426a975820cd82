"""``article_activity_30d``: sales of the last 30 calendar days, at every day on which one enters or leaves."""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr.types import Table

from feature_repo.batch.change_points import (
    STAMP,
    counterpart_days,
    enter,
    known_between,
    leave,
    running_totals,
    within_reach,
)
from feature_repo.batch.engine import epoch_us
from feature_repo.contracts import trend
from feature_repo.schema import RECENT_DAYS, WEEK_DAYS, WINDOW_DAYS

KEY = "article_id"


def article_activity(purchases: Table, snapshots_from: date | None, until: date) -> Table:
    """One row per article and change point, also of the shorter windows of 7 and 3 days."""
    purchases = within_reach(purchases, WINDOW_DAYS, snapshots_from)
    by_day = purchases.group_by([KEY, "day"]).aggregate(
        units=purchases.count(),
        spend_micros=purchases.price_micros.sum(),
        distinct_customers=purchases.customer_id.nunique(),
        last_sale_at=epoch_us(purchases.occurred_at.max()),
    )
    units, spend = by_day.units, by_day.spend_micros
    buyers = counterpart_days(purchases, KEY, "customer_id", WINDOW_DAYS)
    totals = running_totals(
        KEY,
        enter(
            by_day,
            KEY,
            units=units,
            units_7d=units,
            units_3d=units,
            spend_micros=spend,
            distinct_customers=by_day.distinct_customers,
            last_sale_at=by_day.last_sale_at,
        ),
        leave(by_day, KEY, by_day.day + WINDOW_DAYS, units=units, spend_micros=spend),
        leave(by_day, KEY, by_day.day + WEEK_DAYS, units_7d=units),
        leave(by_day, KEY, by_day.day + RECENT_DAYS, units_3d=units),
        leave(buyers, KEY, buyers.leaves, distinct_customers=1),
        latest="last_sale_at",
    )
    rows = known_between(totals, KEY, snapshots_from, until)
    some = rows.units.nullif(0)
    return rows.select(
        KEY,
        STAMP,
        "units",
        "distinct_customers",
        "units_7d",
        "units_3d",
        trend=trend(rows.units_7d, rows.units),
        mean_price_micros=rows.spend_micros / some,
        last_sale_at=ibis.ifelse(rows.units > 0, rows.last_sale_at, ibis.null("int64")),
    )
