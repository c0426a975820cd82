"""The last few purchases by time."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from feature_repo.events.purchase import Purchase
from feature_repo.online.byte_columns import ranges
from infra.base.calendar import DAY_MICROS
from streaming.events.purchase_columns import Ints, PurchaseColumns


class Latest(NamedTuple):
    """Purchases, newest first; or columns of such.

    Attributes:
        articles: their ids.
        instants_us: when, microseconds since 1970-01-01.
    """

    articles: Any
    instants_us: Any


class LatestPurchases:
    """Keeps the newest purchases in the total order (instant, event id), however late each of them arrives.

    What is pushed out of the list is older than what stays, so it would leave the window first: nothing is ever missed.

    Args:
        length: how many to keep.
    """

    def __init__(self, length: int) -> None:
        self._length = length

    def initialize(self) -> list[tuple[int, str, str]]:
        return []

    def add(self, state: list[tuple[int, str, str]], purchases: Iterable[Purchase]) -> None:
        for purchase in purchases:
            insort(state, (purchase.occurred_at_us, purchase.event_id, purchase.article_id))
        if len(state) > self._length:
            del state[: -self._length]

    def expire(self, state: list[tuple[int, str, str]], first_day: int) -> None:
        first_us = first_day * DAY_MICROS
        state[:] = [entry for entry in state if entry[0] >= first_us]

    def value(self, state: list[tuple[int, str, str]], first_day: int) -> Latest:
        first_us = first_day * DAY_MICROS
        entries = [entry for entry in reversed(state) if entry[0] >= first_us]
        return Latest([article_id for _, _, article_id in entries], [at_us for at_us, _, _ in entries])

    def column(self, purchases: PurchaseColumns, first_day: Ints) -> Latest:
        counts = np.minimum(purchases.total(purchases.since(first_day)), self._length)
        rows = ranges(purchases.lasts, counts, -1)
        offsets = pa.array(np.append(0, np.cumsum(counts)), pa.int32())
        articles, instants = purchases.article_id.take(rows).dictionary_decode(), purchases.occurred_at_us[rows]
        return Latest(*[pa.ListArray.from_arrays(offsets, column) for column in (articles, pa.array(instants))])
