"""A request's filters against one release."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.article_filter import ArticleFilter
from serving.ranking.filters.listed_articles import IncludedArticles
from serving.ranking.filters.registry import UNFILTERED
from serving.retrieval.articles import ArticleTable


class Allowed:
    """Tells for positions whether they may be shown.

    Attributes:
        is_narrow: whether more than a few articles may be shut out.
        included: positions of the articles asked for by id, ascending; None where any article may be shown.
    """

    def __init__(self, articles: ArticleTable, filters: Sequence[ArticleFilter] = UNFILTERED, viewed: int = -1) -> None:
        """Args:
        viewed: position of the article being looked at, which is not shown; -1 for none.

        Raises:
            InvalidFilter: a filter names what the release does not have.
        """
        self._viewed = viewed
        self._masks = [each.against(articles) for each in filters]
        self.is_narrow = any(each.is_narrow(articles) for each in filters)
        included = [each.positions(articles) for each in filters if isinstance(each, IncludedArticles)]
        self.included: npt.NDArray[np.int32] | None = included[0] if included else None

    def __call__(self, positions: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Whether each of these may be shown, [m]."""
        allowed: npt.NDArray[np.bool_] = positions != self._viewed
        for mask in self._masks:
            allowed &= mask(positions)
        return allowed
