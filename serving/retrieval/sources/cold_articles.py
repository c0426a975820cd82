"""Articles that hardly anybody has bought yet, by the towers: the only source that can know them."""

from __future__ import annotations

import numpy as np

from serving.retrieval.articles import ArticleTable
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.source import NOTHING, Proposal, Question

COLD_UNITS = 5
"""An article is cold until it has sold more than this."""
PRIOR_SHARE = 0.5
"""Among cold articles a sale or two of the last days says less than taste does."""


class ColdArticlesSource:
    """A quota of their own, for in one list with best sellers cold articles never come first; silent without towers."""

    name = "cold_articles"

    def __init__(self, index: ItemIndex) -> None:
        self._index = index
        self._seen: tuple[ArticleTable, int] | None = None
        self._cold = np.empty(0, np.bool_)

    def propose(self, question: Question, limit: int) -> Proposal:
        if question.query_embedding is None:
            return NOTHING
        articles = question.articles
        if self._seen is None or self._seen[0] is not articles or self._seen[1] != articles.activity_version:
            self._cold = np.nan_to_num(articles.sales_column("units")) <= COLD_UNITS
            self._seen = (articles, articles.activity_version)
        return Proposal(*self._index.search_among(question.query_embedding, limit, self._cold, PRIOR_SHARE))
