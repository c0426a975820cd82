"""Articles that hardly anybody has bought yet, by the towers: the only source that can know them."""

from __future__ import annotations

from serving.retrieval.sources.best_sellers import LiveCache
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
        # By what was sold before the release, so there is nothing to refresh.
        self._searched = LiveCache(lambda articles: latest(articles, is_cold(articles)))

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        if query.item_scores is None or query.index is None:
            return NOTHING
        searched = self._searched.of(query.articles)
        scores = query.item_scores[searched] + PRIOR_SHARE * query.index.prior(searched)
        return top_k(searched, scores, limit)

    def reason(self, query: RetrievalQuery, position: int) -> str:
        return "A rare find, like what you bought lately" if query.customer.has_history else "A rare find"
