"""What sells now where the customer shops: in the customer's departments, in the customer's index groups."""

from __future__ import annotations

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
        self._members = LiveCache[dict[int, Proposal]](lambda articles: {})  # filled as values are asked for

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        customer, articles = query.customer, query.articles
        if not customer.has_history:
            return NOTHING
        values, counts = np.unique(articles.category(self.category)[customer.bought], return_counts=True)
        shares = counts / counts.sum()
        positions, scores = [], []
        for value, share in zip(values.tolist(), shares.tolist(), strict=True):
            top = self._top_of(articles, value)
            positions.append(top.positions[:limit])
            scores.append(share * top.scores[:limit])
        return top_k(np.concatenate(positions), np.concatenate(scores), limit)

    def _top_of(self, articles: ArticleTable, value: int) -> Proposal:
        known = self._members.of(articles)
        if value not in known:
            members = np.flatnonzero(articles.category(self.category) == value).astype(np.int32)
            units = articles.units_3d[members]
            top = top_k(members, units / (units.sum() + SMOOTHING), _KEPT)
            known[value] = Proposal(top.positions[top.scores > 0], top.scores[top.scores > 0])
        return known[value]


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
