"""What sells now, overall and in the departments that the customer buys from."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.source import NOTHING, Proposal, Question, best

_KEPT = 1_000
DEPARTMENT_SMOOTHING = 5.0
"""Units of a department that count as no evidence: keeps a department's only sale from looking like a trend."""


class TrendingSource:
    """The articles sold most in the last 3 calendar days; live."""

    name = "trending"

    def __init__(self) -> None:
        self._seen: tuple[ArticleTable, int] | None = None
        self._top = NOTHING

    def propose(self, question: Question, limit: int) -> Proposal:
        articles = question.articles
        if _changed(self._seen, articles):
            self._seen = (articles, articles.activity_version)
            self._top = _top(articles.units_3d, min(_KEPT, len(articles)))
        return Proposal(self._top.positions[:limit], self._top.scores[:limit])


class DepartmentTrendSource:
    """The best sellers of the departments where the customer has bought, weighted by the customer's shares."""

    name = "department_trend"

    def __init__(self) -> None:
        self._seen: tuple[ArticleTable, int] | None = None
        self._members: dict[int, Proposal] = {}

    def propose(self, question: Question, limit: int) -> Proposal:
        customer, articles = question.customer, question.articles
        if not customer.has_history:
            return NOTHING
        if _changed(self._seen, articles):
            self._seen = (articles, articles.activity_version)
            self._members = {}
        departments, counts = np.unique(articles.category("department_name")[customer.bought], return_counts=True)
        shares = counts / counts.sum()
        positions, scores = [], []
        for department, share in zip(departments.tolist(), shares.tolist(), strict=True):
            top = self._department(articles, department)
            positions.append(top.positions[:limit])
            scores.append(share * top.scores[:limit])
        return best(np.concatenate(positions), np.concatenate(scores), limit)

    def _department(self, articles: ArticleTable, department: int) -> Proposal:
        if department not in self._members:
            members = np.flatnonzero(articles.category("department_name") == department).astype(np.int32)
            units = articles.units_3d[members]
            top = best(members, units / (units.sum() + DEPARTMENT_SMOOTHING), 100)
            self._members[department] = Proposal(top.positions[top.scores > 0], top.scores[top.scores > 0])
        return self._members[department]


def _top(units: npt.NDArray[np.float32], count: int) -> Proposal:
    chosen = np.argpartition(-units, count - 1)[:count].astype(np.int32) if count else np.empty(0, np.int32)
    return best(chosen, units[chosen], count)


def _changed(seen: tuple[ArticleTable, int] | None, articles: ArticleTable) -> bool:
    return seen is None or seen[0] is not articles or seen[1] != articles.activity_version
