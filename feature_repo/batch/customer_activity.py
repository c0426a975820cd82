"""``customer_activity_30d``: purchases of the last 30 calendar days, at every day on which one enters or leaves."""

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
from feature_repo.batch.engine import epoch_us, newest_first
from feature_repo.schema import WINDOW_DAYS

LIST_LENGTH = 20
ONLINE = 2
KEY = "customer_id"


def customer_activity(purchases: Table, snapshots_from: date | None, until: date) -> Table:
    """One row per customer and change point; a customer whose purchases have all left has a row of zeros."""
    purchases = within_reach(purchases, WINDOW_DAYS, snapshots_from)
    by_day = purchases.group_by([KEY, "day"]).aggregate(
        purchases=purchases.count(),
        spend_micros=purchases.price_micros.sum(),
        online=(purchases.sales_channel_id == ONLINE).cast("int64").sum(),
        distinct_articles=purchases.article_id.nunique(),
    )
    of_window = {name: by_day[name] for name in ("purchases", "spend_micros", "online")} | {"active_days": 1}
    articles = counterpart_days(purchases, KEY, "article_id", WINDOW_DAYS)
    totals = running_totals(
        KEY,
        enter(by_day, KEY, **of_window, distinct_articles=by_day.distinct_articles, ever=by_day.purchases),
        leave(by_day, KEY, by_day.day + WINDOW_DAYS, **of_window),
        leave(articles, KEY, articles.leaves, distinct_articles=1),
    )
    rows = known_between(totals, KEY, snapshots_from, until)
    rows = rows.left_join(_latest_purchases(rows, purchases), [KEY, STAMP])
    some = rows.purchases.nullif(0)
    return rows.select(
        KEY,
        STAMP,
        "purchases",
        "spend_micros",
        "distinct_articles",
        "active_days",
        mean_price_micros=rows.spend_micros / some,
        online_share=rows.online / some,
        last_purchase_at=rows.last_purchase_at,
        articles=rows.articles.fill_null(ibis.literal([], "array<string>")),
        articles_at=rows.articles_at.fill_null(ibis.literal([], "array<int64>")),
    )


def _latest_purchases(rows: Table, purchases: Table) -> Table:
    """The last purchases of each row's window, as lists.

    A window holds a customer's latest purchases and no others, so with purchases numbered in order they are those from
    ``ever - purchases`` to ``ever``.
    """
    in_order = ibis.window(group_by=purchases[KEY], order_by=[purchases.occurred_at, purchases.event_id])
    numbered = purchases.select(
        KEY, "article_id", at=epoch_us(purchases.occurred_at), number=ibis.row_number().over(in_order)
    )
    wanted = rows.filter(rows.purchases > 0).select(
        KEY, STAMP, end=rows.ever, start=rows.ever - ibis.least(rows.purchases, LIST_LENGTH)
    )
    pairs = wanted.inner_join(
        numbered, [wanted[KEY] == numbered[KEY], numbered.number >= wanted.start, numbered.number < wanted.end]
    )
    return pairs.group_by([KEY, STAMP]).aggregate(
        last_purchase_at=pairs["at"].max(),
        articles=newest_first(pairs.article_id, pairs.number),
        articles_at=newest_first(pairs["at"], pairs.number),
    )
