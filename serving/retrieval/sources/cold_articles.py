"""Articles that hardly anybody has bought yet, by the towers: the only source that can know them."""

from __future__ import annotations

import numpy as np

from serving.retrieval.articles import ArticleTable
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.searched_articles import is_cold, latest
from serving.retrieval.sources.source import NOTHING, CandidateSource, Proposal, RetrievalQuery, top_k

PRIOR_SHARE = 0.5
"""Among cold articles a sale or two of the last days says less than taste does."""


class ColdArticlesSource(CandidateSource):
    """A quota of their own, for in one list with best sellers cold articles never come first; silent without towers."""

    name = "cold_articles"
    default_quota = 110
    reserved = 40

    def __init__(self) -> None:
        self._seen: tuple[ArticleTable, ItemIndex, int] | None = None
        self._cold = np.empty(0, np.bool_)
        self._searched = np.empty(0, np.int32)
        # Theirs, kept together: gathering them for a request costs more than the products do.
        self._vectors = np.empty((0, 0), np.float32)

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        if query.query_embedding is None or query.index is None:
            return NOTHING
        self._follow(query.articles, query.index)
        scores = self._vectors @ (query.query_embedding / query.index.temperature)
        scores += PRIOR_SHARE * query.index.prior(self._searched)
        near = np.argpartition(-scores, limit - 1)[:limit] if scores.size > limit else np.arange(scores.size)
        return top_k(self._searched[near], scores[near], limit)

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return "A rare find, like what you bought lately" if query.customer.has_history else "A rare find"

    def _follow(self, articles: ArticleTable, index: ItemIndex) -> None:
        seen, now = self._seen, (articles, index, articles.activity_version)
        if seen is not None and seen[0] is articles and seen[1] is index and articles.is_as_in(seen[2]):
            return
        cold, self._seen = is_cold(articles), now
        if seen is None or seen[1] is not index or not np.array_equal(cold, self._cold):
            self._cold, self._searched = cold, latest(articles, cold)
            self._vectors = index.vectors[self._searched]
