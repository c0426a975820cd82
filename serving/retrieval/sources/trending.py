"""What sells now."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.best_sellers import MOST_KEPT, LiveCache, best_sellers
from serving.retrieval.sources.source import CandidateSource, PastShop, Proposal, RetrievalQuery


class TrendingSource(CandidateSource):
    """What most visits of the last 3 calendar days were for; live.

    That is sales times the votes that a unit stands for (``towers/training/counts/basket_votes.py``). On H&M it serves
    customers of whom nothing is known better than sales: MAP@12 of 2020-09-17, 18 and 19 is .0136, .0113 and .0073, not
    .0104, .0113 and .0045 (.0089 either way on 09-20).
    """

    name = "trending"
    default_quota = 400

    def __init__(self, votes: npt.NDArray[np.float32] | None = None) -> None:
        """Args:
        votes: per unit of each article, [n]; without them every unit counts the same.
        """
        self._votes = votes
        self._top = LiveCache(self._follow)

    @classmethod
    def fit(cls, past: PastShop) -> Self:
        return cls(past.votes_per_unit())

    def refresh(self, articles: ArticleTable) -> None:
        self._top.refresh(articles)

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        top = self._top.of(query.articles)
        return Proposal(top.positions[:limit], top.scores[:limit])

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        if self._votes is not None:
            np.save(folder / "votes.npy", self._votes)

    @classmethod
    def load(cls, folder: Path, articles: ArticleTable) -> Self:
        path = folder / "votes.npy"
        return cls(np.load(path) if path.is_file() else None)

    def _follow(self, articles: ArticleTable) -> Proposal:
        units = articles.units_3d
        return best_sellers(units if self._votes is None else units * self._votes, MOST_KEPT)
