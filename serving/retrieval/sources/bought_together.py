"""What others bought who bought the same: item-item neighbours."""

from __future__ import annotations

from typing import Self

import numpy as np

from serving.retrieval.sources.neighbours import NeighbourSource
from serving.retrieval.sources.source import PastShop, top_k

NEIGHBOURS = 60
POPULARITY_EXPONENT = 0.1
"""How much a neighbour's own popularity is discounted: 0 not at all, 1 wholly (then rare coincidences win)."""


class BoughtTogetherSource(NeighbourSource):
    """What is bought together with the customer's purchases."""

    name = "bought_together"
    default_quota = 300
    relation = "Goes with"

    @classmethod
    def fit(cls, past: PastShop) -> Self:
        """Count, per pair of articles, the customers who bought both, near in time counting more."""
        from scipy import sparse

        articles = len(past.articles)
        left, right, weight = past.purchase_pairs()
        counts = sparse.coo_matrix((weight, (left, right)), shape=(articles, articles)).tocsr()
        units = np.maximum(past.units.astype(np.float64), 1.0)
        counts.data /= units[counts.indices] ** POPULARITY_EXPONENT
        counts.data /= np.repeat(units, np.diff(counts.indptr))
        neighbours = np.full((articles, NEIGHBOURS), -1, np.int32)
        weights = np.zeros((articles, NEIGHBOURS), np.float32)
        for article in np.flatnonzero(np.diff(counts.indptr)):
            row = slice(counts.indptr[article], counts.indptr[article + 1])
            top = top_k(counts.indices[row], counts.data[row], NEIGHBOURS)
            neighbours[article, : top.positions.size] = top.positions
            weights[article, : top.positions.size] = top.scores
        return cls(neighbours, weights)
