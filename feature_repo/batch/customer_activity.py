"""``customer_activity_30d``: purchases of the last 30 calendar days, at every day on which one enters or leaves."""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr.types import Table

from feature_repo.batch.change_points import STAMP, counterpart_days, enter, known_between, pass_through, running_totals
from feature_repo.batch.engine import epoch_micros, newest_first
from feature_repo.schema import WINDOW_DAYS

LIST_LENGTH = 20
ONLINE = 2
KEY = "customer_id"


def customer_activity(purchases: Table, snapshots_from: date | None, until: date) -> Table:
    """One row per customer and change point; a customer whose purchases have all left has a row of zeros."""
    days = purchases.select(KEY, "day").distinct()
    articles = counterpart_days(purchases, KEY, "article_id", WINDOW_DAYS)
    totals = running_totals(
        KEY,
        pass_through(
            purchases,
            KEY,
            purchases.day + WINDOW_DAYS,
            purchases=1,
            spend_micros=purchases.price_micros,
            online=(purchases.sales_channel_id == ONLINE).cast("int64"),
        ),
        pass_through(articles, KEY, articles.leaves, distinct_articles=1),
        pass_through(days, KEY, days.day + WINDOW_DAYS, active_days=1),
        enter(purchases, KEY, ever=1),
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
        KEY, "article_id", at=epoch_micros(purchases.occurred_at), number=ibis.row_number().over(in_order)
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
