"""What filters by a list of the request share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from serving.ranking.filters.article_filter import ArticleFilter, InvalidFilter


@dataclass(frozen=True)
class ListFilter(ArticleFilter):
    """Asked for where the list holds anything."""

    values: tuple[str, ...]

    field: ClassVar[str]
    """Of the ``Filters`` message."""
    what: ClassVar[str]
    most: ClassVar[int]

    @classmethod
    def asked(cls, filters: Any) -> Self | None:
        values = getattr(filters, cls.field)
        if len(values) > cls.most:
            raise InvalidFilter(f"filters.{cls.field} lists {len(values)} {cls.what}; give at most {cls.most}")
        return cls(tuple(values)) if values else None
