"""Only articles of some values of a category."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from serving.ranking.filters.article_filter import InvalidFilter, Mask
from serving.ranking.filters.list_filter import ListFilter
from serving.retrieval.articles import ArticleTable


class _CategoryValues(ListFilter):
    what, most = "values", 100
    category: ClassVar[str]
    """One of :data:`serving.retrieval.articles.CATEGORIES`."""

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
