"""What sells now: overall, in the departments or index groups that the customer buys from, among people of an age."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.basket_votes import votes_per_unit
from serving.retrieval.purchase_log import PurchaseLog
from serving.retrieval.sources.source import NOTHING, Proposal, Question, best

_KEPT = 1_000
CATEGORY_SMOOTHING = 5.0
"""Units of a category's value that count as no evidence: keeps a department's only sale from looking like a trend."""
AGE_SPREAD_YEARS = 13.0
"""The standard deviation of the ages of an article's buyers; on H&M that of the whole shop's, too."""
AGE_SMOOTHING = 10.0
"""Units that an article's mean age is drawn to the shop's by."""


class TrendingSource:
    """What most visits of the last 3 calendar days were for; live.

    That is sales times the votes that a unit stands for (``basket_votes``). On H&M it serves customers of whom nothing
    is known better than sales: MAP@12 of 2020-09-17, 18 and 19 is .0136, .0113 and .0073, not .0104, .0113 and .0045
    (.0089 either way on 09-20).
    """

    name = "trending"

    def __init__(self, votes: npt.NDArray[np.float32] | None = None) -> None:
        """Args:
        votes: per unit of each article, [n]; without them every unit counts the same.
        """
        self._votes = votes
        self._seen: tuple[ArticleTable, int] | None = None
        self._top = NOTHING

    def propose(self, question: Question, limit: int) -> Proposal:
        articles = question.articles
        if _changed(self._seen, articles):
            self._seen = (articles, articles.activity_version)
            units = articles.units_3d
            self._top = _top(units if self._votes is None else units * self._votes, min(_KEPT, len(articles)))
        return Proposal(self._top.positions[:limit], self._top.scores[:limit])

    @classmethod
    def fit(cls, purchases: PurchaseLog, articles: int) -> TrendingSource:
        """Count the votes per unit of all articles of the release, so many."""
        return cls(votes_per_unit(purchases, articles))

    def save(self, folder: Path) -> None:
        """Write what :meth:`load` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        if self._votes is not None:
            np.save(folder / "votes.npy", self._votes)

    @classmethod
    def load(cls, folder: Path) -> TrendingSource:
        """Read what :meth:`save` wrote; a release that knows no votes counts units."""
        path = folder / "votes.npy"
        return cls(np.load(path) if path.is_file() else None)


class CategoryTrendSource:
    """The best sellers of one category's values where the customer has bought, weighted by the customer's shares; live.

    Args:
        category: of :data:`serving.retrieval.articles.CATEGORIES`.
        name: of the source.
    """

    def __init__(self, category: str, name: str) -> None:
        self.name = name
        self._category = category
        self._seen: tuple[ArticleTable, int] | None = None
        self._members: dict[int, Proposal] = {}

    def propose(self, question: Question, limit: int) -> Proposal:
        customer, articles = question.customer, question.articles
        if not customer.has_history:
            return NOTHING
        if _changed(self._seen, articles):
            self._seen = (articles, articles.activity_version)
            self._members = {}
        values, counts = np.unique(articles.category(self._category)[customer.bought], return_counts=True)
        shares = counts / counts.sum()
        positions, scores = [], []
        for value, share in zip(values.tolist(), shares.tolist(), strict=True):
            top = self._top_of(articles, value)
            positions.append(top.positions[:limit])
            scores.append(share * top.scores[:limit])
        return best(np.concatenate(positions), np.concatenate(scores), limit)

    def _top_of(self, articles: ArticleTable, value: int) -> Proposal:
        if value not in self._members:
            members = np.flatnonzero(articles.category(self._category) == value).astype(np.int32)
            units = articles.units_3d[members]
            top = best(members, units / (units.sum() + CATEGORY_SMOOTHING), 100)
            self._members[value] = Proposal(top.positions[top.scores > 0], top.scores[top.scores > 0])
        return self._members[value]


DEPARTMENT_TREND, INDEX_GROUP_TREND = "department_trend", "index_group_trend"


def department_trend() -> CategoryTrendSource:
    """The trend of the customer's departments."""
    return CategoryTrendSource("department_name", DEPARTMENT_TREND)


def index_group_trend() -> CategoryTrendSource:
    """The trend of the customer's index groups: ladieswear, menswear, children, sport, ..."""
    return CategoryTrendSource("index_group_name", INDEX_GROUP_TREND)


class AgeTrendSource:
    """The best sellers among people of the customer's age; live, and silent where the age is not known.

    Nobody counts sales by age as they stream in. But the batch knows how old an article's buyers are on average, and if
    ages spread alike around their means, a buyer of age a is more likely by exp((a - m) d / s^2 - d^2 / 2 s^2) to want
    an article whose buyers are d older than the shop's mean m. So these are the live best sellers times that.
    """

    name = "age_trend"

    def __init__(self) -> None:
        self._seen: tuple[ArticleTable, int] | None = None
        self._top = NOTHING
        self._older = np.empty(0, np.float32)
        self._mean = 0.0
        self._by_age: dict[int, Proposal] = {}

    def propose(self, question: Question, limit: int) -> Proposal:
        age = question.customer.number("customer_profile:age")
        if np.isnan(age):
            return NOTHING
        if _changed(self._seen, question.articles):
            self._follow(question.articles)
        proposal = self._by_age.get(int(age))
        if proposal is None:
            tilt = ((int(age) - self._mean) * self._older - self._older**2 / 2) / AGE_SPREAD_YEARS**2
            scores = self._top.scores * np.exp(tilt)
            proposal = self._by_age[int(age)] = best(self._top.positions, scores, _KEPT)
        return Proposal(proposal.positions[:limit], proposal.scores[:limit])

    def _follow(self, articles: ArticleTable) -> None:
        self._seen = (articles, articles.activity_version)
        self._by_age = {}
        ages, units = articles.sales_column("mean_buyer_age"), np.nan_to_num(articles.sales_column("units"))
        known = ~np.isnan(ages)
        self._mean = float(np.average(ages[known], weights=units[known] + 1)) if known.any() else 0.0
        top = _top(articles.units_3d, min(_KEPT, len(articles)))
        self._top = Proposal(top.positions[top.scores > 0], top.scores[top.scores > 0])
        older = np.nan_to_num(ages[self._top.positions] - self._mean)
        sold = units[self._top.positions]
        self._older = older * sold / (sold + AGE_SMOOTHING)


def _top(units: npt.NDArray[np.float32], count: int) -> Proposal:
    chosen = np.argpartition(-units, count - 1)[:count].astype(np.int32) if count else np.empty(0, np.int32)
    return best(chosen, units[chosen], count)


def _changed(seen: tuple[ArticleTable, int] | None, articles: ArticleTable) -> bool:
    return seen is None or seen[0] is not articles or seen[1] != articles.activity_version
