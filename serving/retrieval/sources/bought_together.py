"""What others bought who bought the same: item-item neighbours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.retrieval.customer import Customer
from serving.retrieval.purchase_log import PurchaseLog
from serving.retrieval.purchase_pairs import purchase_pairs
from serving.retrieval.sources.source import NOTHING, Proposal, Question, best

NEIGHBOURS = 60
HISTORY_HALF_LIFE_DAYS = 30.0
"""A purchase of the asking customer loses half its weight in this time."""
HISTORY_LENGTH = 30
POPULARITY_EXPONENT = 0.1
"""How much a neighbour's own popularity is discounted: 0 not at all, 1 wholly (then rare coincidences win)."""


class BoughtTogetherSource:
    """Neighbours of the customer's purchases, each purchase weighted by its age."""

    name = "bought_together"

    def __init__(self, neighbours: npt.NDArray[np.int32], weights: npt.NDArray[np.float32]) -> None:
        """Args:
        neighbours: [n, k] positions, best first, -1 where there are fewer.
        weights: [n, k], 0 where there are fewer.
        """
        self._neighbours, self._weights = neighbours, weights

    def propose(self, question: Question, limit: int) -> Proposal:
        customer = question.customer
        if not customer.has_history:
            return NOTHING
        bought = customer.bought[:HISTORY_LENGTH]
        age_days = np.maximum(customer.today - customer.bought_last_day[:HISTORY_LENGTH], 0)
        weight = np.exp2(-age_days / HISTORY_HALF_LIFE_DAYS)
        positions = self._neighbours[bought].ravel()
        scores = (self._weights[bought] * weight[:, None]).ravel()
        known = positions >= 0
        unique, inverse = np.unique(positions[known], return_inverse=True)
        return best(unique, np.bincount(inverse, scores[known], unique.size).astype(np.float32), limit)

    def reason(self, customer: Customer, position: int) -> int | None:
        """Which purchase speaks for an article most: its place in ``customer.bought``; None where none does."""
        bought = customer.bought[:HISTORY_LENGTH]
        age_days = np.maximum(customer.today - customer.bought_last_day[:HISTORY_LENGTH], 0)
        votes = (self._weights[bought] * (self._neighbours[bought] == position)).sum(axis=1)
        votes *= np.exp2(-age_days / HISTORY_HALF_LIFE_DAYS)
        return int(votes.argmax()) if votes.any() else None

    def neighbours_of(self, position: int, limit: int) -> Proposal:
        """What is bought together with one article."""
        known = self._neighbours[position] >= 0
        return Proposal(self._neighbours[position][known][:limit], self._weights[position][known][:limit])

    @classmethod
    def fit(cls, purchases: PurchaseLog, articles: int) -> BoughtTogetherSource:
        """Count, per pair of articles, the customers who bought both, near in time counting more.

        Args:
            articles: number of articles of the release.
        """
        from scipy import sparse

        left, right, weight = purchase_pairs(purchases)
        counts = sparse.coo_matrix((weight, (left, right)), shape=(articles, articles)).tocsr()
        units = np.bincount(purchases.article, minlength=articles).astype(np.float64)
        counts.data /= np.maximum(units[counts.indices], 1.0) ** POPULARITY_EXPONENT
        counts.data /= np.repeat(np.maximum(units, 1.0), np.diff(counts.indptr))
        neighbours = np.full((articles, NEIGHBOURS), -1, np.int32)
        weights = np.zeros((articles, NEIGHBOURS), np.float32)
        for article in np.flatnonzero(np.diff(counts.indptr)):
            row = slice(counts.indptr[article], counts.indptr[article + 1])
            top = best(counts.indices[row], counts.data[row], NEIGHBOURS)
            neighbours[article, : top.positions.size] = top.positions
            weights[article, : top.positions.size] = top.scores
        return cls(neighbours, weights)

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "neighbours.npy", self._neighbours)
        np.save(folder / "weights.npy", self._weights)

    @classmethod
    def load(cls, folder: Path) -> BoughtTogetherSource:
        return cls(np.load(folder / "neighbours.npy"), np.load(folder / "weights.npy"))
