"""Sources that know, for every article, the articles nearest to it: what they share of a customer's purchases."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.customer import Customer
from serving.retrieval.sources.source import NOTHING, CandidateSource, Proposal, RetrievalQuery, bought_ago, top_k

HISTORY_HALF_LIFE_DAYS = 30.0
"""A purchase of the asking customer loses half its weight in this time."""
HISTORY_LENGTH = 30


class NeighbourSource(CandidateSource):
    """Neighbours of the customer's purchases, each purchase weighted by its age."""

    relation: ClassVar[str]
    """What an article is to the purchase it is near to, such as "Goes with"."""

    def __init__(self, neighbours: npt.NDArray[np.int32], weights: npt.NDArray[np.float32]) -> None:
        """Args:
        neighbours: [n, k] positions, best first, -1 where there are fewer.
        weights: [n, k], 0 where there are fewer.
        """
        self._neighbours, self._weights = neighbours, weights

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        customer = query.customer
        if not customer.has_history:
            return NOTHING
        bought = customer.bought[:HISTORY_LENGTH]
        positions = self._neighbours[bought].ravel()
        scores = (self._weights[bought] * _recency(customer)[:, None]).ravel()
        known = positions >= 0
        unique, inverse = np.unique(positions[known], return_inverse=True)
        return top_k(unique, np.bincount(inverse, scores[known], unique.size).astype(np.float32), limit)

    def reason(self, query: RetrievalQuery, position: int) -> str | None:
        customer = query.customer
        bought = customer.bought[:HISTORY_LENGTH]
        votes = (self._weights[bought] * (self._neighbours[bought] == position)).sum(axis=1) * _recency(customer)
        if not votes.any():
            return None
        place = int(votes.argmax())  # the purchase that speaks for the article most
        name = query.articles.name(int(customer.bought[place]))
        return f"{self.relation} {name}, bought {bought_ago(customer, place)}"

    def neighbours_of(self, position: int, limit: int) -> Proposal:
        """The nearest of one article."""
        known = self._neighbours[position] >= 0
        return Proposal(self._neighbours[position][known][:limit], self._weights[position][known][:limit])

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "neighbours.npy", self._neighbours)
        np.save(folder / "weights.npy", self._weights)

    @classmethod
    def load(cls, folder: Path, articles: ArticleTable) -> Self:
        return cls(np.load(folder / "neighbours.npy"), np.load(folder / "weights.npy"))


def _recency(customer: Customer) -> npt.NDArray[np.float64]:
    """Weights of the customer's latest purchases, [at most HISTORY_LENGTH]."""
    age_days = np.maximum(customer.today - customer.bought_last_day[:HISTORY_LENGTH], 0)
    return np.exp2(-age_days / HISTORY_HALF_LIFE_DAYS)
