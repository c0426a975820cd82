"""Only these articles, or none of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.article_filter import Mask
from serving.ranking.filters.list_filter import ListFilter
from serving.retrieval.articles import ArticleTable
from serving.retrieval.position_sets import are_among


class _ListedArticles(ListFilter):
    what, most = "articles", 1_000

    def is_narrow(self, articles: ArticleTable) -> bool:
        return False  # the included are candidates by themselves; the excluded are few

    def positions(self, articles: ArticleTable) -> npt.NDArray[np.int32]:
        """Of those that the release knows, ascending, each once."""
        positions = np.unique(articles.positions(self.values))
        return positions[positions >= 0]


class IncludedArticles(_ListedArticles):
    """Only these."""

    field = "include_articles"

    def against(self, articles: ArticleTable) -> Mask:
        included = self.positions(articles)
        return lambda positions: are_among(positions, included)


class ExcludedArticles(_ListedArticles):
    """None of these."""

    field = "exclude_articles"

    def against(self, articles: ArticleTable) -> Mask:
        excluded = self.positions(articles)
        return lambda positions: ~are_among(positions, excluded)
