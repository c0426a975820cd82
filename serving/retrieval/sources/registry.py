"""All candidate sources, each registered once."""

from __future__ import annotations

from infra.base.errors import UserError
from serving.retrieval.sources.age_trend import AgeTrendSource
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.category_trend import DepartmentTrendSource, IndexGroupTrendSource
from serving.retrieval.sources.cold_articles import ColdArticlesSource
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.similar_picture import SimilarPictureSource
from serving.retrieval.sources.source import CandidateSource
from serving.retrieval.sources.tower import TowerSource
from serving.retrieval.sources.trending import TrendingSource

SOURCES: tuple[type[CandidateSource], ...] = (
    BoughtAgainSource,
    SameProductSource,
    BoughtTogetherSource,
    DepartmentTrendSource,
    TowerSource,
    SimilarPictureSource,
    IndexGroupTrendSource,
    AgeTrendSource,
    TrendingSource,
    ColdArticlesSource,
)
"""By how much their first places are worth: the order to show where no ranker answers."""
SOURCE_NAMES = tuple(source.name for source in SOURCES)


def source_class(name: str) -> type[CandidateSource]:
    """The source of this name.

    Raises:
        UserError: this version has no such source.
    """
    for source in SOURCES:
        if source.name == name:
            return source
    known = ", ".join(SOURCE_NAMES)
    raise UserError(f"there is no candidate source {name!r} in this version of Vitrine; expected one of {known}")
