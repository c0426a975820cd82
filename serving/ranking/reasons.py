"""One line of plain words for the shopper: why this article is here."""

from __future__ import annotations

from serving.ranking.request_sources.registry import REQUEST_SOURCES
from serving.ranking.request_sources.request_source import RequestSource
from serving.retrieval.sources.source import CandidateSource, ReleaseView, RetrievalQuery


def reason(release: ReleaseView, query: RetrievalQuery, position: int, shown_for: str) -> str:
    """Why the source named ``shown_for`` proposed an article to this customer; at least, that it sells."""
    sources: list[CandidateSource | RequestSource] = [quota.source for quota in release.quotas]
    for source in (*sources, *REQUEST_SOURCES):
        if source.name == shown_for and (words := source.reason(query, position)):
            return words
    group = query.articles.category_value("index_group_name", position)
    return f"Trending in {group}" if group else "Trending now"
