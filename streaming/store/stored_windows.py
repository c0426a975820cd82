"""What Redis holds of many windows, taken apart by columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from feature_repo.online.byte_columns import ranges, records
from streaming.events.purchase_columns import Flags, Ints, PurchaseColumns
from streaming.windows.state import APPLIED, HEADER
from streaming.windows.tile_columns import unpack_tiles
from streaming.windows.tiles import TileFormat


@dataclass(frozen=True)
class StoredWindows:
    """Windows [w], of which some are new: Redis has nothing of them.

    Attributes:
        exists: whether Redis has it.
        version, day, stamp_us: of its header; zeros where there is none.
        applied_owner, applied_partition, applied_offset: the last offset applied of each window and partition.
        has_early: whether purchases wait for their day.
        tile_owner, tile_day, tile_starts, tile_ends: the tiles, by window and day, and where they are in ``data``.
        days: those whose tiles were asked for.
    """

    exists: Flags
    version: npt.NDArray[Any]
    day: Ints
    stamp_us: Ints
    applied_owner: Ints
    applied_partition: Ints
    applied_offset: Ints
    has_early: Flags
    tile_owner: Ints
    tile_day: Ints
    tile_starts: Ints
    tile_ends: Ints
    days: range
    data: npt.NDArray[np.uint8]

    @classmethod
    def of(cls, replies: Sequence[Sequence[bytes | None]], days: range) -> StoredWindows:
        """Take apart what Redis has answered: per window its header, the early purchases, and the tile of each day."""
        windows, width = len(replies), 2 + len(days)
        fields = pa.array(list(chain.from_iterable(replies)), pa.large_binary())  # a large window counts by megabytes
        _, offsets, buffer = fields.buffers()
        data = np.frombuffer(buffer or b"", np.uint8)
        there = np.flatnonzero(fields.is_valid().to_numpy(zero_copy_only=False))
        bounds = np.frombuffer(offsets, np.int64)
        starts, ends = bounds[there], bounds[there + 1]
        owner, column = np.divmod(there, width)
        is_header, is_tile = column == 0, column >= 2
        owners = owner[is_header]
        headers = records(data, starts[is_header], HEADER)
        partitions = headers["partitions"]
        applied = records(data, ranges(starts[is_header] + HEADER.itemsize, partitions, APPLIED.itemsize), APPLIED)
        return cls(
            exists=np.bincount(owners, minlength=windows) > 0,
            version=_placed(headers["version"], owners, windows),
            day=_placed(headers["day"].astype(np.int64), owners, windows),
            stamp_us=_placed(headers["stamp_us"], owners, windows),
            applied_owner=np.repeat(owners, partitions),
            applied_partition=applied["partition"].astype(np.int64),
            applied_offset=applied["offset"].astype(np.int64),
            has_early=np.bincount(owner[column == 1], minlength=windows) > 0,
            tile_owner=owner[is_tile],
            tile_day=days.start + column[is_tile] - 2,
            tile_starts=starts[is_tile],
            tile_ends=ends[is_tile],
            days=days,
            data=data,
        )

    def __len__(self) -> int:
        return self.exists.size

    @property
    def tile_bytes(self) -> Ints:
        """The size of all tiles of each window, [w]."""
        return np.bincount(self.tile_owner, self.tile_ends - self.tile_starts, len(self)).astype(np.int64)

    def purchases(self, tiles: TileFormat, first_day: Ints, windows: Flags) -> PurchaseColumns:
        """What the tiles of some windows hold, from the ``first_day`` [w] of each on."""
        wanted = windows[self.tile_owner] & (self.tile_day >= first_day[self.tile_owner])
        return unpack_tiles(tiles, self.data, self.tile_starts[wanted], self.tile_ends[wanted], self.tile_owner[wanted])

    def only(self, windows: Flags) -> StoredWindows:
        """Those that are flagged, numbered anew."""
        if windows.all():
            return self
        numbers, applied, tile = np.cumsum(windows) - 1, windows[self.applied_owner], windows[self.tile_owner]
        return StoredWindows(
            self.exists[windows],
            self.version[windows],
            self.day[windows],
            self.stamp_us[windows],
            numbers[self.applied_owner[applied]],
            self.applied_partition[applied],
            self.applied_offset[applied],
            self.has_early[windows],
            numbers[self.tile_owner[tile]],
            self.tile_day[tile],
            self.tile_starts[tile],
            self.tile_ends[tile],
            self.days,
            self.data,
        )


def _placed(values: npt.NDArray[Any], places: Ints, size: int) -> npt.NDArray[Any]:
    """A column with these values at these places and zeros at the others."""
    column = np.zeros(size, values.dtype)
    column[places] = values
    return column
