"""Which articles a request allows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable

_GROUP = "index_group_name"


class UnknownIndexGroup(ValueError):  # noqa: N818 - becomes the status INVALID_ARGUMENT
    """The filters name an index group that no article of the release has; the message names those it has."""


@dataclass(frozen=True)
class ArticleFilters:
    """What may be shown; see ``Filters`` in recommender.proto."""

    include_articles: tuple[str, ...] = ()
    exclude_articles: tuple[str, ...] = ()
    index_groups: tuple[str, ...] = ()
    min_price_micros: int | None = None
    max_price_micros: int | None = None
    in_stock_only: bool = True


def prices_micros(articles: ArticleTable, positions: npt.NDArray[np.int32]) -> npt.NDArray[np.float32]:
    """Mean price of the last 30 days, else of all time, [m]; NaN for articles never sold."""
    recent = articles.activity_column("mean_price_micros")[positions]
    return np.where(np.isnan(recent), articles.sales_column("price_mean_micros")[positions], recent)


class Allowed:
    """A request's filters against one release: tells for positions whether they may be shown."""

    def __init__(self, filters: ArticleFilters, articles: ArticleTable, context: int = -1) -> None:
        """Args:
        context: position of the article being looked at, which is not shown; -1 for none.

        Raises:
            UnknownIndexGroup: the release has no such index group.
        """
        self._filters, self._articles = filters, articles
        excluded = articles.positions(filters.exclude_articles)
        self._excluded = np.append(excluded[excluded >= 0], context) if context >= 0 else excluded[excluded >= 0]
        included = articles.positions(filters.include_articles)
        self.included = np.unique(included[included >= 0]) if filters.include_articles else None
        self._groups = _group_codes(filters.index_groups, articles) if filters.index_groups else None

    @property
    def is_narrow(self) -> bool:
        """Whether more than a few articles may be shut out, so that sources must look deeper to fill their quotas."""
        filters = self._filters
        return self._groups is not None or filters.min_price_micros is not None or filters.max_price_micros is not None

    def __call__(self, positions: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
        """Whether each of these may be shown, [m]."""
        articles, filters = self._articles, self._filters
        allowed = articles.in_stock[positions] if filters.in_stock_only else np.ones(positions.size, np.bool_)
        if self._excluded.size:
            allowed &= ~np.isin(positions, self._excluded)
        if self.included is not None:
            allowed &= np.isin(positions, self.included)
        if self._groups is not None:
            allowed &= np.isin(articles.category(_GROUP)[positions], self._groups)
        if filters.min_price_micros is not None or filters.max_price_micros is not None:
            prices = prices_micros(articles, positions)
            # NaN compares as False: an unknown price passes no bound.
            if filters.min_price_micros is not None:
                allowed &= prices >= filters.min_price_micros
            if filters.max_price_micros is not None:
                allowed &= prices <= filters.max_price_micros
        return allowed


def _group_codes(names: tuple[str, ...], articles: ArticleTable) -> npt.NDArray[np.int32]:
    known = articles.vocabularies[_GROUP]
    unknown = [name for name in names if name not in known or not name]
    if unknown:
        raise UnknownIndexGroup(
            f"filters.index_groups holds {unknown[0]!r}, which no article has; "
            f"known are {', '.join(repr(name) for name in known if name)}"
        )
    return np.array([known.index(name) for name in names], np.int32)
