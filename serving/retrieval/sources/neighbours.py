"""Sources that know, for every article, the articles nearest to it: what they share of a customer's purchases."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt

from serving.retrieval.customer import Customer
from serving.retrieval.sources.source import NOTHING, Proposal, Question, best

HISTORY_HALF_LIFE_DAYS = 30.0
"""A purchase of the asking customer loses half its weight in this time."""
HISTORY_LENGTH = 30


class NeighbourSource:
    """Neighbours of the customer's purchases, each purchase weighted by its age."""

    name = "neighbours"

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
        positions = self._neighbours[bought].ravel()
        scores = (self._weights[bought] * _recency(customer)[:, None]).ravel()
        known = positions >= 0
        unique, inverse = np.unique(positions[known], return_inverse=True)
        return best(unique, np.bincount(inverse, scores[known], unique.size).astype(np.float32), limit)

    def reason(self, customer: Customer, position: int) -> int | None:
        """Which purchase speaks for an article most: its place in ``customer.bought``; None where none does."""
        bought = customer.bought[:HISTORY_LENGTH]
        votes = (self._weights[bought] * (self._neighbours[bought] == position)).sum(axis=1) * _recency(customer)
        return int(votes.argmax()) if votes.any() else None

    def neighbours_of(self, position: int, limit: int) -> Proposal:
        """The nearest of one article."""
        known = self._neighbours[position] >= 0
        return Proposal(self._neighbours[position][known][:limit], self._weights[position][known][:limit])

    def save(self, folder: Path) -> None:
        """Write what :meth:`load` reads."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "neighbours.npy", self._neighbours)
        np.save(folder / "weights.npy", self._weights)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what :meth:`save` wrote."""
        return cls(np.load(folder / "neighbours.npy"), np.load(folder / "weights.npy"))


def _recency(customer: Customer) -> npt.NDArray[np.float64]:
    """Weights of the customer's latest purchases, [at most HISTORY_LENGTH]."""
    age_days = np.maximum(customer.today - customer.bought_last_day[:HISTORY_LENGTH], 0)
    return np.exp2(-age_days / HISTORY_HALF_LIFE_DAYS)
