"""Only what is in stock."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

from serving.ranking.filters.article_filter import ArticleFilter, Mask
from serving.retrieval.articles import ArticleTable

_USUALLY_IN_STOCK = 0.9
"""Where fewer are, sources that know nothing of stock propose too much that cannot be shown."""


@dataclass(frozen=True)
class InStock(ArticleFilter):
    """What is in stock now; applied unless the request says otherwise."""

    @classmethod
    def asked(cls, filters: Any) -> Self | None:
        return cls() if not filters.HasField("in_stock_only") or filters.in_stock_only else None

    def is_narrow(self, articles: ArticleTable) -> bool:
        return float(articles.in_stock.mean()) < _USUALLY_IN_STOCK

    def against(self, articles: ArticleTable) -> Mask:
        return lambda positions: articles.in_stock[positions]
