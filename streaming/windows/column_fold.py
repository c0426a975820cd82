"""Folds purchases into many windows at once, column by column.

Most windows are plain: they hold few purchases, and what comes is new to them and of their days. As columns these take
a third of the time. All that needs a closer look is left to ``WindowState``: large windows, which are worth keeping in
memory, purchases that were sent twice, applied before, are late or early, and windows that stand at another day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from feature_repo.events.purchase import Purchase
from feature_repo.online.byte_columns import ranges
from feature_repo.schema import WINDOW_DAYS
from infra.base.calendar import DAY_MICROS
from streaming.events.purchase_columns import Flags, Ints, PurchaseColumns
from streaming.store.stored_windows import StoredWindows
from streaming.windows.definitions import Window
from streaming.windows.state import APPLIED, HEADER
from streaming.windows.tiles import TileFormat

_SMALL_BYTES = 4_096  # of tiles: some 60 purchases of a customer, 120 of an article
_FEW_PURCHASES = 256
_EXACT_AS_DOUBLE = 1 << 53
_PARTITIONS, _DAYS = 1 << 16, 1 << 32


@dataclass(frozen=True)
class FoldedWindows:
    """Windows [w] that have taken their purchases, as they are to be written.

    Attributes:
        stored: what Redis must hold.
        header: all of each header but the new version and the pairs.
        applied: the pairs of all headers, one after the other.
        values: the features in the schema's order, columns of [w].
        new: the purchases taken, ordered by window and day.
        tile_starts: which of them begin another tile.
        tile_is_new: whether Redis has no such tile yet.
        dropped_owner, dropped_day: tiles that have left their window, by window.
    """

    stored: StoredWindows
    header: npt.NDArray[Any]
    applied: npt.NDArray[Any]
    values: list[Any]
    new: PurchaseColumns
    tile_starts: Ints
    tile_is_new: Flags
    dropped_owner: Ints
    dropped_day: Ints

    def __len__(self) -> int:
        return len(self.stored)

    @property
    def tile_owner(self) -> Ints:
        """The windows of the tiles that grow or come."""
        return self.new.owner[self.tile_starts]

    @property
    def tile_day(self) -> Ints:
        """Their days."""
        return self.new.day[self.tile_starts]


class ColumnFold:
    """Folds into windows of one kind."""

    def __init__(self, window: Window, tiles: TileFormat) -> None:
        self._window, self._tiles = window, tiles

    def fold(
        self, stored: StoredWindows, purchases: Sequence[Sequence[Purchase]], day: int, horizon_day: int
    ) -> tuple[Flags, FoldedWindows | None]:
        """Take purchases into the windows that are plain.

        Args:
            stored: [w].
            purchases: [w], at least one each; those of a partition in the order of their offsets.
            day: the clock day.
            horizon_day: the newest day to believe.

        Returns:
            Which windows are plain, [w], and those; None if there are none.
        """
        new = PurchaseColumns.of(purchases)
        stands_at = np.maximum(stored.day, day)
        clock_day = np.maximum(stands_at, np.maximum.reduceat(new.day, new.starts))
        first_day = clock_day - WINDOW_DAYS + 1
        is_small = (stored.tile_bytes <= _SMALL_BYTES) & (new.counts <= _FEW_PURCHASES)
        is_whole = (stands_at - WINDOW_DAYS + 1 >= stored.days.start) & (stored.day < stored.days.stop)
        fits = (new.day >= first_day[new.owner]) & (new.day <= horizon_day) & ~_is_applied(stored, new)
        plain = is_small & (is_whole | ~stored.exists) & ~stored.has_early & _all(fits, new.owner, len(stored))
        every = stored.purchases(self._tiles, first_day, plain).join(new)
        plain &= every.total(every.price_micros) < _EXACT_AS_DOUBLE
        if self._window.event_ids is not None:
            plain &= _all(_is_single(every), every.owner, len(stored))
        if not plain.any():
            return plain, None
        return plain, self._taken(stored.only(plain), every.only(plain), new.only(plain), clock_day[plain])

    def _taken(self, stored: StoredWindows, every: PurchaseColumns, new: PurchaseColumns, day: Ints) -> FoldedWindows:
        """Plain windows at these clock days, given all their purchases and the new ones among them."""
        applied_owner, applied = _applied(stored, new)
        header = np.empty(len(stored), HEADER)
        header["day"] = day
        header["stamp_us"] = np.maximum.reduce(
            [stored.stamp_us + 1, np.maximum.reduceat(new.occurred_at_us, new.starts), day * DAY_MICROS]
        )
        header["partitions"] = np.bincount(applied_owner, minlength=len(stored))
        by_day = new.take(np.lexsort((new.day, new.owner)))
        tile_starts = np.flatnonzero(by_day.begins(by_day.owner, by_day.day))
        tiles = by_day.owner[tile_starts] * _DAYS + by_day.day[tile_starts]
        dropped_owner, dropped_day = _dropped(stored, day - WINDOW_DAYS + 1)
        return FoldedWindows(
            stored=stored,
            header=header,
            applied=applied,
            values=self._window.columns(every, day),
            new=by_day,
            tile_starts=tile_starts,
            tile_is_new=~np.isin(tiles, stored.tile_owner * _DAYS + stored.tile_day),
            dropped_owner=dropped_owner,
            dropped_day=dropped_day,
        )


def _all(flags: Flags, owner: Ints, windows: int) -> Flags:
    """Whether all purchases of a window are flagged, [w]."""
    return np.bincount(owner[~flags], minlength=windows) == 0


def _is_applied(stored: StoredWindows, new: PurchaseColumns) -> Flags:
    """Which purchases a window has taken before."""
    known = stored.applied_owner * _PARTITIONS + stored.applied_partition
    if not known.size:
        return np.zeros(len(new), np.bool_)
    order = np.argsort(known)
    source = new.owner * _PARTITIONS + new.partition
    place = order[np.minimum(np.searchsorted(known, source, sorter=order), known.size - 1)]
    return (known[place] == source) & (new.offset <= stored.applied_offset[place])


def _is_single(purchases: PurchaseColumns) -> Flags:
    """Which purchases have an event id that no other of their window has."""
    ids = purchases.event_id
    if len(ids.dictionary) == len(purchases):
        return np.ones(len(purchases), np.bool_)
    pairs = purchases.owner * len(ids.dictionary) + ids.indices.to_numpy()
    _, place, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    return counts[place] == 1


def _applied(stored: StoredWindows, new: PurchaseColumns) -> tuple[Ints, npt.NDArray[Any]]:
    """The last offset of each window and partition, the new purchases included: windows, ascending, and pairs."""
    owner = np.concatenate((stored.applied_owner, new.owner))
    partition = np.concatenate((stored.applied_partition, new.partition))
    offset = np.concatenate((stored.applied_offset, new.offset))
    source = owner * _PARTITIONS + partition
    order = np.lexsort((offset, source))
    last = order[np.append(np.diff(source[order]) != 0, True)]
    applied = np.empty(last.size, APPLIED)
    applied["partition"], applied["offset"] = partition[last], offset[last]
    return owner[last], applied


def _dropped(stored: StoredWindows, first_day: Ints) -> tuple[Ints, Ints]:
    """Tiles that leave their windows, the days too that were not asked for: windows, ascending, and days."""
    stood_from = stored.day - WINDOW_DAYS + 1
    unseen = np.maximum(np.minimum(stored.days.start, stored.day + 1) - stood_from, 0) * stored.exists
    has_left = stored.tile_day < first_day[stored.tile_owner]
    owner = np.concatenate((np.repeat(np.arange(len(stored)), unseen), stored.tile_owner[has_left]))
    day = np.concatenate((ranges(stood_from, unseen), stored.tile_day[has_left]))
    order = np.argsort(owner, kind="stable")
    return owner[order], day[order]
