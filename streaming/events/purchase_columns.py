"""Purchases of many customers or articles at once, column by column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import chain
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.events.purchase import Purchase

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PurchaseColumns:
    """Purchases [n] of windows [w], which have at least one each; as ``Purchase`` but for the owner.

    Attributes:
        owner: the number of the window, ascending.
        event_id, article_id, buyer: bytes in Arrow, by dictionary once they are joined; None where tiles lack them.
    """

    owner: Ints
    occurred_at_us: Ints
    day: Ints
    price_micros: Ints
    sales_channel_id: Ints
    partition: Ints
    offset: Ints
    event_id: Any
    article_id: Any
    buyer: Any

    @classmethod
    def of(cls, purchases: Sequence[Sequence[Purchase]]) -> PurchaseColumns:
        """The columns of purchases that are grouped by window."""
        event_id, at_us, day, _, buyer, article_id, price, channel, partition, offset = zip(
            *chain.from_iterable(purchases), strict=True
        )
        return cls(
            owner=np.repeat(np.arange(len(purchases)), [len(of_window) for of_window in purchases]),
            occurred_at_us=np.array(at_us, np.int64),
            day=np.array(day, np.int64),
            price_micros=np.array(price, np.int64),
            sales_channel_id=np.array(channel, np.int64),
            partition=np.array(partition, np.int64),
            offset=np.array(offset, np.int64),
            event_id=pa.array(event_id, pa.binary()),
            article_id=pa.array(article_id, pa.binary()),
            buyer=pa.array(buyer, pa.binary()),
        )

    def __len__(self) -> int:
        return self.owner.size

    @cached_property
    def starts(self) -> Ints:
        """The first purchase of each window, [w]."""
        return np.flatnonzero(self.begins(self.owner))

    @property
    def lasts(self) -> Ints:
        """The last purchase of each window, [w]."""
        return np.append(self.starts[1:], len(self)) - 1

    @property
    def counts(self) -> Ints:
        """How many purchases each window has, [w]."""
        return np.diff(self.starts, append=len(self))

    def total(self, amounts: npt.NDArray[Any]) -> Ints:
        """The sum of amounts [n] over each window, [w]."""
        return np.add.reduceat(amounts, self.starts, dtype=np.int64)

    def since(self, first_day: Ints) -> Flags:
        """Which purchases are dated on the ``first_day`` [w] of their window or later, [n]."""
        return self.day >= first_day[self.owner]

    def begins(self, *columns: npt.NDArray[Any]) -> Flags:
        """Which purchases differ from the one before them in one of the columns [n]."""
        differs = np.zeros(len(self), np.bool_)
        differs[:1] = True
        for column in columns:
            differs[1:] |= column[1:] != column[:-1]
        return differs

    def take(self, rows: npt.NDArray[Any]) -> PurchaseColumns:
        """Some of the purchases: their numbers, ascending by owner, or a flag for each."""
        if rows.dtype == np.bool_:
            rows = np.flatnonzero(rows)
        columns: list[Any] = [None if column is None else column.take(rows) for column in self._columns()]
        return PurchaseColumns(*columns)

    def join(self, others: PurchaseColumns) -> PurchaseColumns:
        """These and others, ordered by owner, instant and event id; what one of them does not tell is lost."""
        joined = PurchaseColumns(*map(_join, self._columns(), others._columns()))
        return joined.take(joined._order())

    def only(self, windows: Flags) -> PurchaseColumns:
        """Those of the windows [w] that are flagged, which are numbered anew."""
        if windows.all():
            return self
        kept = self.take(windows[self.owner])
        return replace(kept, owner=(np.cumsum(windows) - 1)[kept.owner])

    def _order(self) -> Ints:
        order = np.lexsort((self.occurred_at_us, self.owner))
        if self.event_id is not None:
            same = (np.diff(self.owner[order]) == 0) & (np.diff(self.occurred_at_us[order]) == 0)
            if same.any():
                ranks = np.empty(len(self.event_id.dictionary), np.int64)
                ranks[pc.sort_indices(self.event_id.dictionary)] = np.arange(ranks.size)
                order = np.lexsort((ranks[self.event_id.indices], self.occurred_at_us, self.owner))
        return order

    def _columns(self) -> list[Any]:
        return [getattr(self, field.name) for field in fields(self)]


def _join(some: Any, others: Any) -> Any:
    """Texts by their dictionary: compared, sorted and moved as numbers from here on."""
    if some is None or others is None:
        return None
    if isinstance(some, np.ndarray):
        return np.concatenate((some, others))
    return pa.concat_arrays([some, others]).dictionary_encode()
