"""The shop before a day, as candidate sources are fitted to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.basket_votes import votes_per_unit
from towers.training.counts.purchase_pairs import purchase_pairs


@dataclass(frozen=True)
class PastShop:
    """What ``serving.retrieval.sources.source.PastShop`` asks for."""

    articles: ArticleTable
    purchases: PurchaseLog  # dated before the day
    images: npt.NDArray[np.floating]  # picture embeddings, [n, dims]

    @property
    def units(self) -> npt.NDArray[np.int64]:
        """Units ever sold, [n]."""
        return np.bincount(self.purchases.article, minlength=len(self.articles))

    def purchase_pairs(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Articles that one customer bought near each other in time, and how much each pair counts."""
        return purchase_pairs(self.purchases)

    def votes_per_unit(self) -> npt.NDArray[np.float32]:
        """How much of a visit a sold unit of each article stands for, [n]."""
        return votes_per_unit(self.purchases, len(self.articles))
