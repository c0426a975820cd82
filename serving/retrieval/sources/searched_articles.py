"""Of a catalogue that is mostly past, the part that is worth searching."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable

COLD_UNITS = 5
"""An article is cold until it has sold more than this."""
MOST_SEARCHED = 20_000
"""Of the cold ones, what sold last is searched, then the unsold with the latest numbers."""


def is_cold(articles: ArticleTable) -> npt.NDArray[np.bool_]:
    """Which articles hardly anybody has bought yet, [n]."""
    cold: npt.NDArray[np.bool_] = np.nan_to_num(articles.sales_column("units")) <= COLD_UNITS
    return cold


def latest(articles: ArticleTable, among: npt.NDArray[np.bool_]) -> npt.NDArray[np.int32]:
    """The latest sold among these [n], then the unsold with the highest ids: at most MOST_SEARCHED, ascending."""
    chosen = np.flatnonzero(among).astype(np.int32)
    last_sold = np.nan_to_num(articles.sales_column("last_sale_day")[chosen], nan=-1.0)
    order = np.lexsort((-chosen, -last_sold))
    return np.sort(chosen[order[:MOST_SEARCHED]])


def on_sale(articles: ArticleTable) -> npt.NDArray[np.int32]:
    """Positions of what was sold in the last 30 days, and of the latest cold articles, ascending."""
    selling = np.flatnonzero(np.nan_to_num(articles.activity_column("units")) > 0)
    found: npt.NDArray[np.int32] = np.union1d(selling, latest(articles, is_cold(articles))).astype(np.int32)
    return found
