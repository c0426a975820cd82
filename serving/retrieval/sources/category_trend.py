"""What sells now where the customer shops: in the customer's departments, in the customer's index groups."""

from __future__ import annotations

import itertools
from typing import ClassVar

import numpy as np

from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.best_sellers import LiveCache
from serving.retrieval.sources.source import NOTHING, CandidateSource, Proposal, RetrievalQuery, top_k

SMOOTHING = 5.0
"""Units of a category's value that count as no evidence: keeps a department's only sale from looking like a trend."""
_KEPT = 100


class CategoryTrendSource(CandidateSource):
    """The best sellers of one category's values where the customer has bought, by the customer's shares; live."""

    category: ClassVar[str]
    """One of :data:`serving.retrieval.articles.CATEGORIES`."""

    def __init__(self) -> None:
        self._tops = LiveCache(self._follow)

    def refresh(self, articles: ArticleTable) -> None:
        self._tops.refresh(articles)

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        customer, articles = query.customer, query.articles
        if not customer.has_history:
            return NOTHING
        values, counts = np.unique(articles.category(self.category)[customer.bought], return_counts=True)
        shares, tops = counts / counts.sum(), self._tops.of(articles)
        positions, scores = [], []
        for value, share in zip(values.tolist(), shares.tolist(), strict=True):
            if value in tops:
                positions.append(tops[value].positions[:limit])
                scores.append(share * tops[value].scores[:limit])
        return top_k(np.concatenate(positions), np.concatenate(scores), limit) if positions else NOTHING

    def _follow(self, articles: ArticleTable) -> dict[int, Proposal]:
        """The best sellers of every value of which anything sells."""
        units, values = articles.units_3d, articles.category(self.category)
        sold = np.flatnonzero(units > 0).astype(np.int32)
        sold = sold[np.lexsort((sold, -units[sold], values[sold]))]
        totals = np.bincount(values[sold], units[sold])
        begins = np.flatnonzero(np.diff(values[sold], prepend=-1))
        tops = {}
        for begin, end in itertools.pairwise([*begins.tolist(), sold.size]):
            best, value = sold[begin : min(end, begin + _KEPT)], int(values[sold[begin]])
            tops[value] = Proposal(best, (units[best] / (totals[value] + SMOOTHING)).astype(np.float32))
        return tops


class DepartmentTrendSource(CategoryTrendSource):
    """The trend of the customer's departments."""

    name = "department_trend"
    default_quota = 200
    category = "department_name"

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return f"Trending in {query.articles.category_value(self.category, position)}, where you shop"


class IndexGroupTrendSource(CategoryTrendSource):
    """The trend of the customer's index groups: ladieswear, menswear, children, sport, ..."""

    name = "index_group_trend"
    category = "index_group_name"
