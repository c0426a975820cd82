"""Articles that hardly anybody has bought yet, by the towers: the only source that can know them."""

from __future__ import annotations

import numpy as np

from serving.retrieval.articles import ArticleTable
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.shelf import is_cold, latest
from serving.retrieval.sources.source import NOTHING, Proposal, Question, best

PRIOR_SHARE = 0.5
"""Among cold articles a sale or two of the last days says less than taste does."""


class ColdArticlesSource:
    """A quota of their own, for in one list with best sellers cold articles never come first; silent without towers."""

    name = "cold_articles"

    def __init__(self, index: ItemIndex) -> None:
        self._index = index
        self._seen: tuple[ArticleTable, int] | None = None
        self._searched = np.empty(0, np.int32)
        # Theirs, kept together: gathering them for a request costs more than the products do.
        self._vectors = np.empty((0, index.dim), np.float32)
        self._cold = np.empty(0, np.bool_)

    def propose(self, question: Question, limit: int) -> Proposal:
        if question.query_embedding is None:
            return NOTHING
        self._follow(question.articles)
        scores = self._vectors @ (question.query_embedding / self._index.temperature)
        scores += PRIOR_SHARE * self._index.prior(self._searched)
        near = np.argpartition(-scores, limit - 1)[:limit] if scores.size > limit else np.arange(scores.size)
        return best(self._searched[near], scores[near], limit)

    def _follow(self, articles: ArticleTable) -> None:
        if self._seen is not None and self._seen[0] is articles and self._seen[1] == articles.activity_version:
            return
        self._seen = (articles, articles.activity_version)
        cold = is_cold(articles)
        if not np.array_equal(cold, self._cold):
            self._cold, self._searched = cold, latest(articles, cold)
            self._vectors = self._index.vectors[self._searched]
