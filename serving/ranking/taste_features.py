"""Ranking features by latent taste: what an article is to this customer beside the others of its index group."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.ranking.category_features import SMOOTHING
from serving.retrieval.articles import ArticleTable
from serving.retrieval.customer import Customer
from serving.retrieval.tastes import GROUP

TASTE_FEATURES = ("taste_lift", "taste_log_chance", "index_group_log_share")


def taste_features(customer: Customer, positions: npt.NDArray[np.int32], articles: ArticleTable) -> list[npt.NDArray]:
    """The columns TASTE_FEATURES of one customer's candidates, [m] each, NaN where missing.

    They are logarithms: of how much likelier than others of its index group an article is to be chosen for the
    customer's taste; of its chance among all articles, by sales of the last 3 days and by that taste; of how often the
    customer chooses in its index group.
    """
    if articles.tastes is None:
        return [np.full(positions.size, np.nan)] * len(TASTE_FEATURES)
    groups = articles.category(GROUP)
    taste = articles.tastes.of(customer.bought, customer.bought_last_day, groups, articles.product)
    group = groups[positions]
    lift = articles.tastes.vectors[positions] @ taste.mean - taste.log_norms[group]
    units = np.nan_to_num(articles.activity_column("units_3d")[positions])
    share_of_group = (units + SMOOTHING) / (articles.totals_3d.by_group[group] + 1.0)
    log_share = taste.log_shares[group]
    return [lift, lift + np.log(share_of_group) + log_share, log_share]
