"""What sells now among people of the customer's age."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.best_sellers import MOST_KEPT, LiveCache, best_sellers
from serving.retrieval.sources.source import NOTHING, CandidateSource, Proposal, RetrievalQuery, top_k

SPREAD_YEARS = 13.0
"""The standard deviation of the ages of an article's buyers; on H&M that of the whole shop's, too."""
SMOOTHING = 10.0
"""Units that an article's mean age is drawn to the shop's by."""


class _Shop(NamedTuple):
    top: Proposal
    older: npt.NDArray[np.float32]  # years that the buyers of each are older than the shop's mean
    mean_age: float
    by_age: dict[int, Proposal]  # filled as ages are asked for


class AgeTrendSource(CandidateSource):
    """The best sellers among people of the customer's age; live, and silent where the age is not known.

    Nobody counts sales by age as they stream in. But the batch knows how old an article's buyers are on average, and if
    ages spread alike around their means, a buyer of age a is more likely by exp((a - m) d / s^2 - d^2 / 2 s^2) to want
    an article whose buyers are d older than the shop's mean m. So these are the live best sellers times that.
    """

    name = "age_trend"

    def __init__(self) -> None:
        self._shop = LiveCache(_follow)

    def refresh(self, articles: ArticleTable) -> None:
        self._shop.refresh(articles)

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        age = query.customer.number("customer_profile:age")
        if np.isnan(age):
            return NOTHING
        shop = self._shop.of(query.articles)
        proposal = shop.by_age.get(int(age))
        if proposal is None:
            tilt = ((int(age) - shop.mean_age) * shop.older - shop.older**2 / 2) / SPREAD_YEARS**2
            proposal = shop.by_age[int(age)] = top_k(shop.top.positions, shop.top.scores * np.exp(tilt), MOST_KEPT)
        return Proposal(proposal.positions[:limit], proposal.scores[:limit])

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return "Trending among shoppers of your age"


def _follow(articles: ArticleTable) -> _Shop:
    ages, units = articles.sales_column("mean_buyer_age"), np.nan_to_num(articles.sales_column("units"))
    known = ~np.isnan(ages)
    mean = float(np.average(ages[known], weights=units[known] + 1)) if known.any() else 0.0
    top = best_sellers(articles.units_3d, MOST_KEPT)
    top = Proposal(top.positions[top.scores > 0], top.scores[top.scores > 0])
    sold = units[top.positions]
    return _Shop(top, np.nan_to_num(ages[top.positions] - mean) * sold / (sold + SMOOTHING), mean, {})
