"""Ranking features by latent taste: what an article is to this customer beside the others of its index group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.customer import Customer
from serving.retrieval.tastes import GROUP, Taste

SALES_SMOOTHING = 0.3

TASTE_FEATURES = ("taste_lift", "taste_log_chance", "index_group_log_share")


def taste_of(customer: Customer, articles: ArticleTable) -> Taste | None:
    """The customer's latent taste; None where the release knows of none."""
    if articles.tastes is None:
        return None
    return articles.tastes.of(customer.bought, customer.bought_last_day, articles.category(GROUP), articles.product)


def taste_features(customer: Customer, positions: npt.NDArray[np.int32], articles: ArticleTable) -> list[npt.NDArray]:
    """The columns TASTE_FEATURES of one customer's candidates, [m] each, NaN where missing.

    They are logarithms: of how much likelier than others of its index group an article is to be chosen for the
    customer's taste; of its chance among all articles, by sales of the last 3 days and by that taste; of how often the
    customer chooses in its index group.
    """
    taste = taste_of(customer, articles)
    if taste is None:
        return [np.full(positions.size, np.nan)] * len(TASTE_FEATURES)
    lift = log_lift(taste, positions, articles)
    group = articles.category(GROUP)[positions]
    log_share = taste.log_shares[group]
    return [lift, lift + log_share_of_group(positions, articles) + log_share, log_share]


def log_lift(taste: Taste, positions: npt.NDArray[np.int32], articles: ArticleTable) -> npt.NDArray[np.float32]:
    """log of how much likelier than its sales say an article is to be chosen in its index group, [m]."""
    assert articles.tastes is not None
    lift: npt.NDArray[np.float32] = articles.tastes.vectors[positions] @ taste.mean
    lift -= taste.log_norms[articles.category(GROUP)[positions]]
    return lift


def log_share_of_group(positions: npt.NDArray[np.int32], articles: ArticleTable) -> npt.NDArray[np.float32]:
    """log of an article's share of what its index group sold in the last 3 days, live, [m]."""
    units = np.nan_to_num(articles.activity_column("units_3d")[positions])
    group_units = articles.totals_3d.by_group[articles.category(GROUP)[positions]]
    share: npt.NDArray[np.float32] = np.log((units + SALES_SMOOTHING) / (group_units + 1.0))
    return share
