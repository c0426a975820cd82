"""The candidate tower's numbers: how an article has sold until the morning of a day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.item_index import PRIOR_SMOOTHING

CANDIDATE_NUMERIC = (
    "price_mean_micros",
    "price_std_micros",
    "price_median_micros",
    "mean_buyer_age",
    "repeat_rate",
    "days_since_first_sale",
    "units_all_time",
    "mean_price_30d_micros",
    "price_30d_over_mean",
    "units_30d",
    "trend",
)


def candidate_numeric(articles: ArticleTable, today: int) -> npt.NDArray[np.float32]:
    """Raw numbers of all articles, NaN where missing.

    Args:
        articles: with sales and activity as of 00:00 of ``today``.
        today: days since 1970-01-01.

    Returns:
        [n, len(CANDIDATE_NUMERIC)]
    """
    price, recent_price = articles.sales_column("price_mean_micros"), articles.activity_column("mean_price_micros")
    columns = (
        price,
        articles.sales_column("price_std_micros"),
        articles.sales_column("price_median_micros"),
        articles.sales_column("mean_buyer_age"),
        articles.sales_column("repeat_rate"),
        today - articles.sales_column("first_sale_day"),
        np.nan_to_num(articles.sales_column("units")),
        recent_price,
        recent_price / price,
        np.nan_to_num(articles.activity_column("units")),
        articles.activity_column("trend"),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def popularity_prior(articles: ArticleTable) -> npt.NDArray[np.float32]:
    """log(units of the last 3 days + smoothing) of all articles, [n]: what the index adds, before its weight."""
    prior: npt.NDArray[np.float32] = np.log(articles.units_3d + PRIOR_SMOOTHING).astype(np.float32)
    return prior
