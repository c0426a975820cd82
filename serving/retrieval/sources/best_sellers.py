"""What the sources of trends share: the best sellers, worked out again when sales have changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.source import Proposal, top_k

MOST_KEPT = 1_000
"""Best sellers of the shop that a source keeps."""

_Made = TypeVar("_Made")


class LiveCache(Generic[_Made]):
    """What is made of an article table, kept until its live columns change.

    Of a table that is followed, the follower makes it anew, in a thread of its own: a request takes what there is.
    """

    def __init__(self, make: Callable[[ArticleTable], _Made]) -> None:
        self._make = make
        self._seen: tuple[ArticleTable, int, _Made] | None = None

    def of(self, articles: ArticleTable) -> _Made:
        """Made of the table as it is now, or as it was when its follower looked last."""
        seen = self._seen
        if seen is not None and seen[0] is articles and articles.is_as_in(seen[1]):
            return seen[2]
        return self.refresh(articles)[2]

    def refresh(self, articles: ArticleTable) -> tuple[ArticleTable, int, _Made]:
        """Make it anew."""
        version = articles.activity_version  # read first: what changes meanwhile is for the next time
        self._seen = made = (articles, version, self._make(articles))
        return made


def best_sellers(units: npt.NDArray[np.float32], count: int) -> Proposal:
    """The ``count`` articles with the highest of ``units`` [n], best first."""
    return top_k(np.arange(units.size, dtype=np.int32), units, count)
