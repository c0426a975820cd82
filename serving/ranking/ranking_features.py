"""The ranker's inputs: customer, article and customer x article features of every candidate, one packed matrix.

The gateway and the ranker's training call this one function, so a feature cannot be computed in two ways. Counts and
ages are raw here; the ranker's graph compresses and scales them.
"""

from __future__ import annotations

from functools import cache

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import FeatureTable
from serving.ranking.features.article_sales import ARTICLE_SALES
from serving.ranking.features.categories import CATEGORY_SHARES
from serving.ranking.features.customers import CUSTOMER
from serving.ranking.features.last_basket import LAST_BASKET
from serving.ranking.features.latent_factors import LATENT_FACTORS
from serving.ranking.features.lifts import LIFTS
from serving.ranking.features.moment import MOMENT
from serving.ranking.features.own_purchases import OWN_PURCHASES
from serving.ranking.features.prices import PRICE_FOR_CUSTOMER, PRICE_NOW
from serving.ranking.features.proposals import BEST_RANKS, proposals
from serving.ranking.features.repeat_purchases import REPEAT_PURCHASES
from serving.ranking.features.sales_shares import SALES_SHARES
from serving.ranking.features.similarity import SIMILARITY
from serving.ranking.ranking_inputs import RankingInputs
from serving.retrieval.articles import ArticleTable
from serving.retrieval.candidates import CandidateSet
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex


@cache
def ranking_table(sources: tuple[str, ...]) -> FeatureTable[RankingInputs]:
    """All groups, in the order of the columns: a release names them, so a new one goes last."""
    return FeatureTable(
        (
            proposals(sources),
            SIMILARITY,
            OWN_PURCHASES,
            CATEGORY_SHARES,
            PRICE_FOR_CUSTOMER,
            ARTICLE_SALES,
            PRICE_NOW,
            CUSTOMER,
            MOMENT,
            LIFTS,
            REPEAT_PURCHASES,
            SALES_SHARES,
            BEST_RANKS,
            LAST_BASKET,
            LATENT_FACTORS,
        )
    )


def ranking_feature_names(sources: tuple[str, ...]) -> tuple[str, ...]:
    """The columns of :func:`ranking_features` for a release with these sources, in order."""
    return ranking_table(sources).names


def ranking_features(
    customer: Customer,
    candidates: CandidateSet,
    articles: ArticleTable,
    index: ItemIndex,
    query_embedding: npt.NDArray[np.float32] | None,
) -> npt.NDArray[np.float32]:
    """Features of one customer's candidates.

    Returns:
        [m, len(ranking_feature_names(candidates.sources))], NaN where missing.
    """
    table = ranking_table(candidates.sources)
    inputs = RankingInputs(customer, candidates, articles, index, query_embedding)
    by_feature = np.empty((len(table.names), len(candidates)), np.float32)
    for row, column in zip(by_feature, table.compute(inputs), strict=True):
        row[:] = column
    return np.ascontiguousarray(by_feature.T)
