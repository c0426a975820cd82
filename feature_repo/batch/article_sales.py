"""``article_sales``: everything sold of an article, at the start of every day after one with sales."""

from __future__ import annotations

from datetime import date

import ibis
from ibis.expr.types import Table

from feature_repo.batch.change_points import known_between

KEY = "article_id"


def article_sales(purchases: Table, customers: Table, snapshots_from: date | None, until: date) -> Table:
    """One row per article and day after a sale. A buyer's age counts once, however often the customer buys."""
    sales = purchases.left_join(customers.select("customer_id", "age"), "customer_id")
    order = [sales.occurred_at, sales.event_id]
    of_buyer = ibis.window(group_by=[sales[KEY], sales.customer_id], order_by=order)
    from_end = ibis.window(group_by=[sales[KEY], sales.day], order_by=[ibis.desc(column) for column in order])
    marked = sales.mutate(
        is_new_buyer=ibis.row_number().over(of_buyer) == 0,
        first_day_of_buyer=sales.day.first().over(of_buyer),
        is_last_of_day=ibis.row_number().over(from_end) == 0,
    )
    so_far = ibis.cumulative_window(group_by=marked[KEY], order_by=[marked.occurred_at, marked.event_id])
    totals = marked.mutate(
        units=ibis.row_number().over(so_far) + 1,
        distinct_customers=marked.is_new_buyer.cast("int64").sum().over(so_far),
        spend_micros=marked.price_micros.sum().over(so_far),
        price_std_micros=marked.price_micros.std(how="sample").over(so_far),
        price_median_micros=marked.price_micros.median().over(so_far),
        first_sale_day=marked.day.min().over(so_far),
        mean_buyer_age=ibis.ifelse(marked.is_new_buyer, marked.age, ibis.null("int16")).mean().over(so_far),
        repeats=(marked.first_day_of_buyer < marked.day).cast("int64").sum().over(so_far),
    ).filter(lambda table: table.is_last_of_day)
    rows = totals.select(
        KEY,
        "units",
        "distinct_customers",
        "price_median_micros",
        "first_sale_day",
        "mean_buyer_age",
        stamp=totals.day + 1,
        price_mean_micros=totals.spend_micros / totals.units,
        price_std_micros=ibis.ifelse(totals.units > 1, totals.price_std_micros, ibis.null("float64")),
        last_sale_day=totals.day,
        repeat_rate=totals.repeats / totals.units,
    )
    return known_between(rows, KEY, snapshots_from, until)
