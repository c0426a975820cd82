"""A small shop with two styles: customers stay with theirs, so that a model that learns anything must see it."""

from __future__ import annotations

import numpy as np

from serving.retrieval.articles import CATEGORIES, ArticleTable
from serving.retrieval.customer import Customer
from towers.data.catalogue import Catalogue, make_catalogue
from towers.data.purchase_log import PurchaseLog
from towers.data.snapshot import Snapshot
from towers.data.targets import Targets
from towers.models.article_encoder import IMAGE_DIM

FIRST_DAY = 18_500
VOCABULARIES = {
    "club_member_status": {"": 0, "ACTIVE": 1},
    "fashion_news_frequency": {"": 0, "NONE": 1, "Regularly": 2},
}


def catalogue(articles: int = 60) -> Catalogue:
    """Articles of two departments by turns; every product comes in two colours."""
    ids = [f"{number:010d}" for number in range(articles)]
    style = [("linen", "wool")[number // 2 % 2] for number in range(articles)]
    metadata: dict[str, list[str | None]] = {name: ["same"] * articles for name in CATEGORIES}
    metadata |= {
        "product_code": [str(number // 2) for number in range(articles)],
        "prod_name": [f"{word} shirt" for word in style],
        "department_name": list(style),
        "colour_group_name": [("red", "blue")[number % 2] for number in range(articles)],
        "detail_desc": [None] * articles,
    }
    return make_catalogue(ids, metadata, np.zeros((articles, IMAGE_DIM), np.float32))


def style_of(position: int) -> int:
    """0 or 1: the department of an article."""
    return position // 2 % 2


def table_on(catalogue_: Catalogue, day: int, purchases: PurchaseLog) -> ArticleTable:
    """The article table with units of the purchases before a day; other numbers are missing."""
    from dataclasses import replace

    table = replace(catalogue_.table, sales=catalogue_.table.sales.copy(), activity=catalogue_.table.activity.copy())
    past = purchases.before(day)
    table.sales_column("units")[:] = np.bincount(past.article, minlength=len(table))
    table.sales_column("price_mean_micros")[:] = 20_000.0
    for name, window in (("units", 30), ("units_7d", 7), ("units_3d", 3)):
        table.activity_column(name)[:] = np.bincount(past.since(day - window + 1).article, minlength=len(table))
    return table


def customer_on(catalogue_: Catalogue, number: int, day: int, purchases: PurchaseLog) -> Customer:
    """One customer as of a day's morning, from the log."""
    past = purchases.before(day)
    own = past.customer == number
    articles, days = past.article[own][::-1], past.day[own][::-1]
    distinct, first, times = np.unique(articles, return_index=True, return_counts=True)
    order = np.argsort(first)
    values = {
        "customer_profile:age": 20 + number % 50,
        "customer_profile:club_member_status": "ACTIVE",
        "customer_history:purchases": len(articles) or None,
        "customer_history:last_purchase_day": int(days[0]) if len(days) else None,
        "customer_history:articles": [catalogue_.table.ids[a] for a in distinct[order]],
        "customer_history:article_times": times[order].tolist(),
        "customer_history:article_last_days": days[first[order]].tolist(),
    }
    return Customer.from_values(str(number), values, catalogue_.table, day)


def purchases_of_two_styles(customers: int = 120, days: int = 8, articles: int = 60, seed: int = 5) -> PurchaseLog:
    """Customer i buys style i % 2 only, two articles on each of some days."""
    rng = np.random.default_rng(seed)
    rows = []
    for day in range(days):
        for customer in np.flatnonzero(rng.random(customers) < 0.5):
            own = [a for a in range(articles) if style_of(a) == customer % 2]
            rows += [(customer, article, FIRST_DAY + day) for article in rng.choice(own, 2, replace=False)]
    return PurchaseLog(*(np.array(column, np.int32) for column in zip(*rows, strict=True)))


def snapshot_on(catalogue_: Catalogue, day: int, purchases: PurchaseLog) -> Snapshot:
    """The morning of a day with everyone who bought on it."""
    of_day = purchases.since(day).before(day + 1)
    buyers = np.unique(of_day.customer)
    return Snapshot(
        day,
        table_on(catalogue_, day, purchases),
        [customer_on(catalogue_, int(buyer), day, purchases) for buyer in buyers],
        Targets.from_lists([of_day.article[of_day.customer == buyer].tolist() for buyer in buyers]),
    )
