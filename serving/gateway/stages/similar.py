"""SimilarArticles: the nearest item vectors, through the request's filters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from serving.gateway.recommend import ShownArticle
from serving.ranking.filters.allowed import Allowed
from serving.ranking.filters.article_filter import ArticleFilter
from serving.release.reader import Release

SOURCE = "similar"


class UnknownArticle(Exception):  # noqa: N818 - becomes the status NOT_FOUND
    """The release does not hold the article."""


def similar_articles(
    release: Release, article_id: str, count: int, filters: Sequence[ArticleFilter]
) -> list[ShownArticle]:
    """The ``count`` allowed articles nearest to one, nearest first, scored by cosine.

    Raises:
        UnknownArticle: the release does not hold it.
        InvalidFilter: the filters name what the release does not have.
    """
    articles = release.articles
    position = articles.position.get(article_id)
    if position is None:
        raise UnknownArticle(f"release {release.number} holds no article {article_id!r}; ids have their leading zeros")
    allowed = Allowed(articles, filters, viewed=position)
    nearest, cosines = release.index.nearest(position, count, allowed(np.arange(len(articles), dtype=np.int32)))
    prices = np.nan_to_num(articles.prices_micros(nearest)).astype(np.int64)
    name = articles.name(position)
    return [
        ShownArticle(articles.ids[near], cosine, SOURCE, f"Like {name}", price, articles.name(near))
        for near, cosine, price in zip(nearest.tolist(), cosines.tolist(), prices.tolist(), strict=True)
    ]
