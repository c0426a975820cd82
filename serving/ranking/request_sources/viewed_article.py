"""What belongs to the article being looked at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.allowed import Allowed
from serving.ranking.request_sources.request_source import RequestSource
from serving.retrieval.position_sets import are_among
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.source import ReleaseView, RetrievalQuery

_ARTICLES = 30
_NOTHING = np.empty(0, np.int32)


class BoughtWithViewed(RequestSource):
    """What is bought together with it."""

    name = "bought_with_viewed"
    leads = True

    def propose(
        self, release: ReleaseView, query: RetrievalQuery, allowed: Allowed, found: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        positions = _bought_together(release, query)
        return positions[allowed(positions)]

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return f"Often bought with {query.articles.name(query.viewed)}"


class SimilarToViewed(RequestSource):
    """What is like it: the nearest item vectors that are not bought together with it."""

    name = "similar_to_viewed"
    leads = True

    def propose(
        self, release: ReleaseView, query: RetrievalQuery, allowed: Allowed, found: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        if query.viewed < 0:
            return _NOTHING
        positions, _ = release.index.similar(query.viewed, _ARTICLES)
        positions = positions[~are_among(positions, _bought_together(release, query))]
        return positions[allowed(positions)]

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return f"Like {query.articles.name(query.viewed)}, which you are looking at"


def _bought_together(release: ReleaseView, query: RetrievalQuery) -> npt.NDArray[np.int32]:
    for quota in release.quotas:
        if query.viewed >= 0 and isinstance(quota.source, BoughtTogetherSource):
            return quota.source.neighbours_of(query.viewed, _ARTICLES).positions
    return _NOTHING
