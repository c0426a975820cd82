"""What others bought who bought the same: item-item neighbours."""

from __future__ import annotations

import numpy as np

from serving.retrieval.purchase_log import PurchaseLog
from serving.retrieval.purchase_pairs import purchase_pairs
from serving.retrieval.sources.neighbours import NeighbourSource
from serving.retrieval.sources.source import best

NEIGHBOURS = 60
POPULARITY_EXPONENT = 0.1
"""How much a neighbour's own popularity is discounted: 0 not at all, 1 wholly (then rare coincidences win)."""


class BoughtTogetherSource(NeighbourSource):
    """What is bought together with the customer's purchases."""

    name = "bought_together"

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
