"""The window of one customer or article in memory: its purchases folded into the states of its aggregations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any

import numpy as np

from feature_repo.events.purchase import Purchase
from feature_repo.schema import WINDOW_DAYS
from infra.base.calendar import DAY_MICROS
from streaming.windows.definitions import Window
from streaming.windows.tiles import TileFormat

_HEADER = Struct("<8sIqH")
_APPLIED = Struct("<HQ")
# The same for whole columns.
HEADER = np.dtype([("version", "V8"), ("day", "<u4"), ("stamp_us", "<i8"), ("partitions", "<u2")])
APPLIED = np.dtype([("partition", "<u2"), ("offset", "<u8")])


class WindowState:
    """One entity's window and what is needed to write it exactly once.

    Attributes:
        key: the entity's Redis key.
        version: what Redis holds must carry this, or another writer was faster; b"" before the first write.
        next_version: what it will carry once the write under way has succeeded.
        day: the clock day that the values stand at; it never goes back.
        stamp_us: Feast's event time of the values, microseconds; every write has a later one.
        applied: partition of ``transactions`` to the last offset whose purchases this state knows.
        states: one per aggregation of the window.
        early: purchases dated after ``day``: known, kept, not counted before the clock gets there.
        appended: entries by day that are not in Redis yet.
        days: those whose tiles are in Redis.
        dropped: days whose tiles left the window and may still be in Redis.
        early_changed: whether Redis holds other early purchases.
    """

    __slots__ = (
        "appended",
        "applied",
        "day",
        "days",
        "dropped",
        "early",
        "early_changed",
        "entity_id",
        "key",
        "next_version",
        "stamp_us",
        "states",
        "tiles",
        "version",
        "window",
    )

    def __init__(self, entity_id: str, key: bytes, window: Window, tiles: TileFormat, day: int) -> None:
        self.entity_id = entity_id
        self.key = key
        self.window = window
        self.tiles = tiles
        self.version = self.next_version = b""
        self.day = day
        self.stamp_us = 0
        self.applied: dict[int, int] = {}
        self.states: list[Any] = window.initialize()
        self.early: list[Purchase] = []
        self.appended: dict[int, list[bytes]] = {}
        self.days: set[int] = set()
        self.dropped: Iterable[int] = ()
        self.early_changed = False

    @property
    def first_day(self) -> int:
        """The oldest day of the window."""
        return self.day - WINDOW_DAYS + 1

    @staticmethod
    def day_of(header: bytes) -> int:
        """The clock day that a stored window stands at."""
        return int(_HEADER.unpack_from(header)[1])

    def load(self, header: bytes, early: bytes | None, tiles: Iterable[bytes | None], fetched_from: int) -> None:
        """Take up what Redis holds of this entity.

        Args:
            tiles: may begin with days that have left the window.
            fetched_from: the day of the first of them. Tiles before it are never looked at, and go when the window
                moves.
        """
        self.version, self.day, self.stamp_us, partitions = _HEADER.unpack_from(header)
        self.applied = dict(_APPLIED.iter_unpack(header[_HEADER.size : _HEADER.size + partitions * _APPLIED.size]))
        if early:
            self.early = self.tiles.unpack(self.entity_id, early)
        self.dropped = range(self.first_day, min(fetched_from, self.day + 1))
        for tile in tiles:
            if tile:
                purchases = self.tiles.unpack(self.entity_id, tile)
                self.days.add(purchases[0].day)
                self._fold(purchases)

    def header(self, next_version: bytes) -> bytes:
        """The bytes to write, under a new version."""
        self.next_version = next_version
        applied = b"".join([_APPLIED.pack(partition, offset) for partition, offset in self.applied.items()])
        return _HEADER.pack(next_version, self.day, self.stamp_us, len(self.applied)) + applied

    def advance(self, day: int) -> bool:
        """Let the window stand at clock day ``day``; returns whether it moved. Earlier days change nothing."""
        if day <= self.day:
            return False
        self.day = day
        first_day = day - WINDOW_DAYS + 1
        expired = [day for day in self.days if day < first_day]
        if expired:
            self.days.difference_update(expired)
            self.dropped = [*self.dropped, *expired]
        if expired or any(day < first_day for day in self.appended):
            for aggregation, state in zip(self.window.aggregations.values(), self.states, strict=True):
                aggregation.expire(state, first_day)
            self.appended = {day: entries for day, entries in self.appended.items() if day >= first_day}
        if self.early:
            due = [purchase for purchase in self.early if purchase.day <= day]
            if due:
                self.early = [purchase for purchase in self.early if purchase.day > day]
                self.early_changed = True
                self.take([purchase for purchase in due if purchase.day >= first_day])
        return True

    def take(self, purchases: Sequence[Purchase]) -> int:
        """Add purchases that this state does not know yet, none dated before ``first_day``; returns how many count.

        The others are dated after the clock day and wait for theirs.
        """
        last_day, appended, pack = self.day, self.appended, self.tiles.pack
        counted = [purchase for purchase in purchases if purchase.day <= last_day]
        if len(counted) < len(purchases):
            self.early += [purchase for purchase in purchases if purchase.day > last_day]
            self.early_changed = True
        for add, state in zip(self.window.adders, self.states, strict=True):
            add(state, counted)
        for purchase in counted:
            entries = appended.get(purchase.day)
            if entries is None:
                appended[purchase.day] = [pack(purchase)]
            else:
                entries.append(pack(purchase))
        return len(counted)

    def values(self) -> list[Any]:
        """The features, in the schema's order."""
        return self.window.values(self.states, self.day)

    def restamp(self, instant_us: int) -> None:
        """Give the values an event time not before ``instant_us`` or the clock day, and later than any before."""
        self.stamp_us = max(self.stamp_us + 1, instant_us, self.day * DAY_MICROS)

    def written(self) -> None:
        """What was pending is in Redis now."""
        self.version = self.next_version
        self.days.update(self.appended)
        self.appended = {}
        self.dropped = ()
        self.early_changed = False

    def _fold(self, purchases: list[Purchase]) -> None:
        first_day = self.first_day
        if purchases[0].day >= first_day:  # a tile is of one day
            for add, state in zip(self.window.adders, self.states, strict=True):
                add(state, purchases)
