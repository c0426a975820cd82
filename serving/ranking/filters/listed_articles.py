"""Only these articles, or none of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.article_filter import ArticleFilter, InvalidFilter, Mask
from serving.retrieval.articles import ArticleTable

MOST_LISTED = 1_000


@dataclass(frozen=True)
class _ListedArticles(ArticleFilter):
    article_ids: tuple[str, ...]

    field: ClassVar[str]

    @classmethod
    def asked(cls, filters: Any) -> Self | None:
        listed = getattr(filters, cls.field)
        if len(listed) > MOST_LISTED:
            raise InvalidFilter(f"filters.{cls.field} lists {len(listed)} articles; give at most {MOST_LISTED}")
        return cls(tuple(listed)) if listed else None

    def is_narrow(self, articles: ArticleTable) -> bool:
        return False  # the included are candidates by themselves; the excluded are few

    def positions(self, articles: ArticleTable) -> npt.NDArray[np.int32]:
        """Of those that the release knows, ascending, each once."""
        positions = np.unique(articles.positions(self.article_ids))
        return positions[positions >= 0]


class IncludedArticles(_ListedArticles):
    """Only these."""

    field = "include_articles"

    def against(self, articles: ArticleTable) -> Mask:
        included = self.positions(articles)
        return lambda positions: np.isin(positions, included)


class ExcludedArticles(_ListedArticles):
    """None of these."""

    field = "exclude_articles"

    def against(self, articles: ArticleTable) -> Mask:
        excluded = self.positions(articles)
        return lambda positions: ~np.isin(positions, excluded)
