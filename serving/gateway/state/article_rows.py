"""Live features of many articles, read from Redis at once, as the article table holds them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np
import numpy.typing as npt

from feature_repo.online.entity_values import fields_of
from feature_repo.online.format import decode_timestamp_micros
from feature_repo.online.keys import entity_key
from feature_repo.online.numeric_columns import numeric_view
from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import same_command
from feature_repo.schema import ARTICLE_ACTIVITY_30D, ARTICLE_AVAILABILITY
from infra.base.calendar import DAY_MICROS
from serving.retrieval.articles import float32_remainders

_FIELDS = fields_of((ARTICLE_ACTIVITY_30D, ARTICLE_AVAILABILITY))
_ACTIVITY_FIELDS = len(ARTICLE_ACTIVITY_30D.features) + 1  # the view's event time comes last
_NAMES = [feature.name for feature in ARTICLE_ACTIVITY_30D.features]
_LAST_SALE, _PRICE = _NAMES.index("last_sale_at"), _NAMES.index("mean_price_micros")
UNITS_3D = _NAMES.index("units_3d")
"""The column of the sales of three days."""


@dataclass(frozen=True)
class ArticleRows:
    """Live features of m articles."""

    activity: npt.NDArray[np.float32]  # [m, len(ACTIVITY_COLUMNS)] NaN where there is none, the last sale as a day
    price_remainders: npt.NDArray[np.float32]  # [m] what the mean prices of ``activity`` leave out
    in_stock: npt.NDArray[np.bool_]  # [m]
    newest_micros: int  # event time of the newest row, 0 where there is none
    unreadable: tuple[int, ...] = ()  # numbers of those whose values are malformed; their columns say nothing

    def only(self, numbers: npt.NDArray[np.intp]) -> ArticleRows:
        """Those of these numbers, which can be read."""
        return ArticleRows(
            self.activity[numbers], self.price_remainders[numbers], self.in_stock[numbers], self.newest_micros
        )


def read_article_rows(pipe: Pipe, article_ids: Sequence[str], now: datetime) -> ArticleRows:
    """HMGET of many hashes in one round trip.

    Args:
        now: values older than their view's time to live count as missing.
    """
    keys = [entity_key("article", article_id) for article_id in article_ids]
    rows: list[Sequence[bytes | None]] = pipe.ask(same_command(b"HMGET", keys, *_FIELDS))
    try:
        return _decoded(rows, now)
    except ValueError:  # one of them is malformed: take them one by one, for the sake of the others
        unreadable = tuple(number for number, row in enumerate(rows) if not _is_readable(row, now))
        blank = [None] * (len(_FIELDS))
        decoded = _decoded([blank if number in unreadable else row for number, row in enumerate(rows)], now)
        return replace(decoded, unreadable=unreadable)


def _decoded(rows: Sequence[Sequence[bytes | None]], now: datetime) -> ArticleRows:
    sales = [row[:_ACTIVITY_FIELDS] for row in rows]
    exact = numeric_view(ARTICLE_ACTIVITY_30D, sales, now, np.float64)
    exact[:, _LAST_SALE] = np.floor(exact[:, _LAST_SALE] / DAY_MICROS)
    stock = numeric_view(ARTICLE_AVAILABILITY, [row[_ACTIVITY_FIELDS:] for row in rows], now)[:, 0]
    stamps = {row[-1] for row in sales if row[-1] is not None}
    return ArticleRows(
        exact.astype(np.float32),
        float32_remainders(exact[:, _PRICE]),
        stock != 0,  # articles without a row, NaN, are in stock
        max(map(decode_timestamp_micros, stamps), default=0),
    )


def _is_readable(row: Sequence[bytes | None], now: datetime) -> bool:
    try:
        _decoded([row], now)
    except ValueError:
        return False
    return True
