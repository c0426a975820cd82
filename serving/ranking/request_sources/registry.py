"""All sources of the request, each registered once."""

from __future__ import annotations

from serving.ranking.request_sources.listed import Listed
from serving.ranking.request_sources.popular import Popular
from serving.ranking.request_sources.request_source import RequestSource
from serving.ranking.request_sources.viewed_article import BoughtWithViewed, SimilarToViewed

REQUEST_SOURCES: tuple[RequestSource, ...] = (BoughtWithViewed(), SimilarToViewed(), Listed(), Popular())
"""In the order in which they join the candidates."""
