"""A shop small enough to know every answer by heart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from serving.retrieval.articles import ACTIVITY_COLUMNS, CATEGORIES, SALES_COLUMNS, ArticleTable
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.source import Quota

TODAY = 18_525  # 2020-09-20


def shop(
    units_3d: Sequence[float], product: list[int] | None = None, department: list[int] | None = None
) -> ArticleTable:
    """Articles "0000000001", "0000000002", ...: each a product and a department of its own unless told otherwise."""
    n = len(units_3d)
    departments = department or list(range(1, n + 1))
    vocabulary = ["", *(f"value {code}" for code in range(1, n + 1))]
    categories = np.ones((n, len(CATEGORIES)), np.int32)
    categories[:, CATEGORIES.index("department_name")] = departments
    activity = np.zeros((n, len(ACTIVITY_COLUMNS)), np.float32)
    for name in ("units", "units_7d", "units_3d"):
        activity[:, ACTIVITY_COLUMNS.index(name)] = units_3d
    activity[:, ACTIVITY_COLUMNS.index("mean_price_micros")] = 20_000
    return ArticleTable(
        ids=[f"{number:010d}" for number in range(1, n + 1)],
        names=np.asarray([f"Product {number}".encode() for number in range(1, n + 1)]),
        product=np.asarray(product or range(n), np.int32),
        categories=categories,
        vocabularies=dict.fromkeys(CATEGORIES, vocabulary),
        sales=np.full((n, len(SALES_COLUMNS)), 1.0, np.float32),
        activity=activity,
        in_stock=np.ones(n, np.bool_),
    )


@dataclass
class ReleaseParts:
    """As much of a release as candidates are found in."""

    articles: ArticleTable
    index: ItemIndex
    quotas: tuple[Quota, ...]


def bought(*purchases: tuple[str, int], times: int = 1) -> dict[str, object]:
    """Feast's values of a customer who bought these (article, days ago), newest first, before today."""
    return {
        "customer_history:articles": [article for article, _ in purchases],
        "customer_history:article_times": [times] * len(purchases),
        "customer_history:article_last_days": [TODAY - ago for _, ago in purchases],
        "customer_history:last_purchase_day": max(TODAY - ago for _, ago in purchases),
    }
