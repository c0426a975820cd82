"""All filters, each registered once."""

from __future__ import annotations

from serving.ranking.filters.article_filter import ArticleFilter
from serving.ranking.filters.category_values import IndexGroups
from serving.ranking.filters.in_stock import InStock
from serving.ranking.filters.listed_articles import ExcludedArticles, IncludedArticles
from serving.ranking.filters.price_range import PriceRange

FILTERS: tuple[type[ArticleFilter], ...] = (InStock, ExcludedArticles, IncludedArticles, IndexGroups, PriceRange)
"""In the order in which they are applied."""
UNFILTERED: tuple[ArticleFilter, ...] = (InStock(),)
"""Those of a request that names none."""
