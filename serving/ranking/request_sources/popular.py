"""The best sellers of the whole catalogue, where the sources leave too few."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.allowed import Allowed
from serving.ranking.request_sources.request_source import RequestSource
from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.source import ReleaseView, RetrievalQuery

LEAST_CANDIDATES = 100
"""So many are ranked however few are asked for, where the filters leave so many: all pages are cut from one order."""


class Popular(RequestSource):
    """As many as are missing."""

    name = "popular"

    def propose(
        self, release: ReleaseView, query: RetrievalQuery, allowed: Allowed, found: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        missing = LEAST_CANDIDATES - len(found)
        return other_best_sellers(release, allowed, found, missing) if missing > 0 else np.empty(0, np.int32)


def other_best_sellers(
    release: ReleaseView, allowed: Allowed, known: npt.NDArray[np.int32], count: int
) -> npt.NDArray[np.int32]:
    """The best selling articles that are allowed and not yet known, best first, at most ``count``."""
    articles = release.articles
    free = allowed(np.arange(len(articles), dtype=np.int32))
    free[known] = False
    return by_sales(articles, np.flatnonzero(free).astype(np.int32), count)


def by_sales(articles: ArticleTable, positions: npt.NDArray[np.int32], count: int) -> npt.NDArray[np.int32]:
    """The first ``count`` of positions, [m] ascending, by sales of 3 days, a month, all time; only these are sorted."""
    columns = (articles.units_3d, articles.activity_column("units"), articles.sales_column("units"))
    chosen, level = positions[:0], positions
    for column in columns:  # of those level in one, the next decides
        missing = count - chosen.size
        if not 0 < missing < level.size:
            break
        units = np.nan_to_num(column[level])
        least = np.partition(units, units.size - missing)[units.size - missing]
        chosen, level = np.concatenate([chosen, level[units > least]]), level[units == least]
    chosen = np.concatenate([chosen, level[: count - chosen.size]])
    recent, month, ever = (np.nan_to_num(column[chosen]) for column in columns)
    return chosen[np.lexsort((chosen, -ever, -month, -recent))]
