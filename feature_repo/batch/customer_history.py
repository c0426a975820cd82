"""``customer_history``: everything a customer bought, at the start of every day after one with purchases."""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr.types import IntegerValue, Table

from feature_repo.batch.change_points import STAMP, known_between
from feature_repo.batch.engine import newest_first

LIST_LENGTH = 100
ONLINE = 2
KEY = "customer_id"


def customer_history(purchases: Table, snapshots_from: date | None, until: date) -> Table:
    """One row per customer and day after a purchase."""
    rows = known_between(_totals(purchases), KEY, snapshots_from, until)
    return rows.inner_join(_latest_articles(rows, purchases), [KEY, STAMP])


def _totals(purchases: Table) -> Table:
    so_far = ibis.cumulative_window(group_by=purchases[KEY], order_by=[purchases.occurred_at, purchases.event_id])
    of_article = ibis.window(
        group_by=[purchases[KEY], purchases.article_id], order_by=[purchases.occurred_at, purchases.event_id]
    )
    of_day = ibis.window(group_by=[purchases[KEY], purchases.day], order_by=[purchases.occurred_at, purchases.event_id])
    from_end = ibis.window(
        group_by=[purchases[KEY], purchases.day],
        order_by=[ibis.desc(purchases.occurred_at), ibis.desc(purchases.event_id)],
    )
    marked = purchases.mutate(
        is_new_article=(ibis.row_number().over(of_article) == 0).cast("int64"),
        is_new_day=(ibis.row_number().over(of_day) == 0).cast("int64"),
        is_last_of_day=ibis.row_number().over(from_end) == 0,
        weekday=_weekday(purchases.day),
        season=purchases.occurred_at.month() % 12 // 3,
    )
    totals = marked.mutate(
        purchases=ibis.row_number().over(so_far) + 1,
        distinct_articles=marked.is_new_article.sum().over(so_far),
        active_days=marked.is_new_day.sum().over(so_far),
        spend_micros=marked.price_micros.sum().over(so_far),
        spend_std_micros=marked.price_micros.std(how="sample").over(so_far),
        spend_max_micros=marked.price_micros.max().over(so_far),
        online=(marked.sales_channel_id == ONLINE).cast("int64").sum().over(so_far),
        first_purchase_day=marked.day.min().over(so_far),
        **{f"weekday_{n}": (marked.weekday == n).cast("int64").sum().over(so_far) for n in range(7)},
        **{f"season_{n}": (marked.season == n).cast("int64").sum().over(so_far) for n in range(4)},
    ).filter(lambda table: table.is_last_of_day)
    count = totals.purchases
    return totals.select(
        KEY,
        "purchases",
        "distinct_articles",
        "active_days",
        "spend_micros",
        "spend_max_micros",
        "first_purchase_day",
        stamp=totals.day + 1,
        mean_days_between_purchases=(totals.day - totals.first_purchase_day) / (totals.active_days - 1).nullif(0),
        spend_mean_micros=totals.spend_micros / count,
        spend_std_micros=ibis.ifelse(count > 1, totals.spend_std_micros, ibis.null("float64")),
        online_share=totals.online / count,
        last_purchase_day=totals.day,
        weekday_shares=ibis.array([totals[f"weekday_{n}"] / count for n in range(7)]),
        season_shares=ibis.array([totals[f"season_{n}"] / count for n in range(4)]),
    )


def _weekday(day: IntegerValue) -> IntegerValue:
    """0 for Monday; 1970-01-01 was a Thursday."""
    return (day + 3) % 7


def _latest_articles(rows: Table, purchases: Table) -> Table:
    """The last distinct articles before each row, as lists.

    A customer's purchase of an article is the latest one of that article from the day after it until the day after the
    next one, so each row meets every article once.
    """
    by_day = purchases.group_by([KEY, "article_id", "day"]).aggregate(
        count=purchases.count(),
        occurred_at=purchases.occurred_at.max(),
        event_id=purchases.event_id.argmax(purchases.occurred_at),
    )
    in_order = ibis.window(group_by=[by_day[KEY], by_day.article_id], order_by=by_day.day)
    latest = by_day.mutate(
        times=by_day["count"].sum().over(ibis.cumulative_window(group_by=in_order.groupings, order_by=by_day.day)),
        next_day=by_day.day.lead().over(in_order),
    )
    points = rows.select(KEY, STAMP)
    pairs = points.inner_join(
        latest,
        [
            points[KEY] == latest[KEY],
            latest.day < points[STAMP],
            (latest.next_day >= points[STAMP]) | latest.next_day.isnull(),
        ],
    )
    ranked = pairs.mutate(
        rank=ibis.row_number().over(
            ibis.window(
                group_by=[pairs[KEY], pairs[STAMP]],
                order_by=[ibis.desc(pairs.occurred_at), ibis.desc(pairs.event_id)],
            )
        )
    )
    kept = ranked.filter(ranked["rank"] < LIST_LENGTH)
    return kept.group_by([KEY, STAMP]).aggregate(
        articles=newest_first(kept.article_id, -kept["rank"]),
        article_times=newest_first(kept.times, -kept["rank"]),
        article_last_days=newest_first(kept.day, -kept["rank"]),
    )
