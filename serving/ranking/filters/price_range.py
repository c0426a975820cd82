"""Bounds of the price."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.article_filter import ArticleFilter, InvalidFilter, Mask
from serving.retrieval.articles import ArticleTable


@dataclass(frozen=True)
class PriceRange(ArticleFilter):
    """Both bounds included; an article never sold has no known price and does not pass."""

    least_micros: int | None
    most_micros: int | None

    @classmethod
    def asked(cls, filters: Any) -> Self | None:
        least, most = (
            getattr(filters, name) if filters.HasField(name) else None
            for name in ("min_price_micros", "max_price_micros")
        )
        for name, price in (("min_price_micros", least), ("max_price_micros", most)):
            if price is not None and price < 0:
                raise InvalidFilter(f"filters.{name} is {price}; give 0 or more")
        if least is not None and most is not None and least > most:
            raise InvalidFilter(
                f"filters.min_price_micros {least} is above filters.max_price_micros {most}; swap them or leave one out"
            )
        return None if least is None and most is None else cls(least, most)

    def against(self, articles: ArticleTable) -> Mask:
        least = -np.inf if self.least_micros is None else self.least_micros
        most = np.inf if self.most_micros is None else self.most_micros

        def within(positions: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
            prices = articles.prices_micros(positions)
            return (prices >= least) & (prices <= most)  # NaN compares as False

        return within
