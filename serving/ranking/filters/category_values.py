"""Only articles of some values of a category."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from serving.ranking.filters.article_filter import ArticleFilter, InvalidFilter, Mask
from serving.retrieval.articles import ArticleTable

MOST_VALUES = 100


@dataclass(frozen=True)
class _CategoryValues(ArticleFilter):
    values: tuple[str, ...]

    field: ClassVar[str]
    category: ClassVar[str]
    """One of :data:`serving.retrieval.articles.CATEGORIES`."""

    @classmethod
    def asked(cls, filters: Any) -> Self | None:
        values = getattr(filters, cls.field)
        if len(values) > MOST_VALUES:
            raise InvalidFilter(f"filters.{cls.field} lists {len(values)} values; give at most {MOST_VALUES}")
        return cls(tuple(values)) if values else None

    def against(self, articles: ArticleTable) -> Mask:
        known = articles.vocabularies[self.category]
        for value in self.values:
            if not value or value not in known:
                raise InvalidFilter(
                    f"filters.{self.field} holds {value!r}, which no article has; "
                    f"known are {', '.join(repr(name) for name in known if name)}"
                )
        codes, column = [known.index(value) for value in self.values], articles.category(self.category)
        return lambda positions: np.isin(column[positions], codes)


class IndexGroups(_CategoryValues):
    """Index groups, such as "Ladieswear"."""

    field, category = "index_groups", "index_group_name"
