"""``article_activity_30d``: sales of the last 30 calendar days, at every day on which one enters or leaves."""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr.types import Table

from feature_repo.batch.change_points import STAMP, counterpart_days, enter, known_between, pass_through, running_totals
from feature_repo.batch.engine import epoch_micros
from feature_repo.schema import WINDOW_DAYS

KEY = "article_id"


def article_activity(purchases: Table, snapshots_from: date | None, until: date) -> Table:
    """One row per article and change point, also of the shorter windows of 7 and 3 days."""
    buyers = counterpart_days(purchases, KEY, "customer_id", WINDOW_DAYS)
    totals = running_totals(
        KEY,
        pass_through(purchases, KEY, purchases.day + WINDOW_DAYS, units=1, spend_micros=purchases.price_micros),
        pass_through(purchases, KEY, purchases.day + 7, units_7d=1),
        pass_through(purchases, KEY, purchases.day + 3, units_3d=1),
        pass_through(buyers, KEY, buyers.leaves, distinct_customers=1),
        enter(purchases, KEY, last_sale_at=epoch_micros(purchases.occurred_at)),
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
        # ((units_7d + 1) / 7) / ((units + 30/7) / 30) as one division of integers: batch and stream agree to the bit
        trend=(rows.units_7d + 1) * WINDOW_DAYS / (rows.units * 7 + WINDOW_DAYS),
        mean_price_micros=rows.spend_micros / some,
        last_sale_at=ibis.ifelse(rows.units > 0, rows.last_sale_at, ibis.null("int64")),
    )
