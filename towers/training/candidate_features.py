"""The candidate tower's numbers: prices and buyers of an article until the morning of a day.

How much it sells is left to the fresh popularity prior: units as inputs cost recall, for they mean something else every
week while the towers stay as they were trained.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.item_index import PRIOR_SMOOTHING


def candidate_numeric(articles: ArticleTable) -> npt.NDArray[np.float32]:
    """Raw numbers of all articles, NaN where missing.

    Args:
        articles: with sales and activity as of 00:00 of a day.

    Returns:
        [n, 6]
    """
    columns = (
        articles.sales_column("price_mean_micros"),
        articles.sales_column("price_std_micros"),
        articles.sales_column("price_median_micros"),
        articles.sales_column("mean_buyer_age"),
        articles.sales_column("repeat_rate"),
        articles.activity_column("mean_price_micros"),
    )
    return np.stack(columns, axis=1).astype(np.float32)


def popularity_prior(articles: ArticleTable) -> npt.NDArray[np.float32]:
    """log(units of the last 3 days + smoothing) of all articles, [n]: what the index adds, before its weight."""
    prior: npt.NDArray[np.float32] = np.log(articles.units_3d + PRIOR_SMOOTHING).astype(np.float32)
    return prior
