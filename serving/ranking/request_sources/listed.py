"""The articles that the request asks for by id."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.ranking.filters.allowed import Allowed
from serving.ranking.request_sources.popular import by_sales
from serving.ranking.request_sources.request_source import RequestSource
from serving.retrieval.sources.source import ReleaseView, RetrievalQuery


class Listed(RequestSource):
    """All of them: where only they may be shown, they are the candidates."""

    name = "listed"

    def propose(
        self, release: ReleaseView, query: RetrievalQuery, allowed: Allowed, found: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.int32]:
        if allowed.included is None:
            return np.empty(0, np.int32)
        included = allowed.included[allowed(allowed.included)]
        return by_sales(release.articles, included, included.size)

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return "From the articles asked for"
