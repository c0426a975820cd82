"""Packs calls of the script that writes a window, for many windows at once, as ``window_packing`` does one by one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.online.byte_columns import Column, bulk_columns, gather, join_columns, rows_of
from feature_repo.online.column_encoding import ARROW_TYPES, encode_column, encode_timestamps
from feature_repo.online.resp import array_header, bulk
from feature_repo.schema import WINDOW_DAYS
from streaming.events.purchase_columns import Flags, Ints
from streaming.store.window_packing import HEADER_FIELD, CallLayout, tile_field
from streaming.windows.column_fold import FoldedWindows
from streaming.windows.tile_columns import pack_entries

_NO_VERSION = pa.scalar(bulk(b""), pa.binary())
_NUMBERS = pa.array([bulk(b"%d" % number) for number in range(WINDOW_DAYS * 10)], pa.binary())
_ARRAY_HEADERS = pa.array([array_header(arguments) for arguments in range(WINDOW_DAYS * 30)], pa.binary())


def pack_columns(
    layout: CallLayout, folded: FoldedWindows, keys: Sequence[bytes], versions: Sequence[bytes], script: bytes
) -> list[bytes]:
    """One call for each window, in their order.

    Args:
        keys: of the windows.
        versions: that they will carry.
        script: its digest.
    """
    stored, windows = folded.stored, len(folded)
    entries = gather(pack_entries(layout.tiles, folded.new), np.diff(folded.tile_starts, append=len(folded.new)))
    tiles = join_columns(_tile_arguments(folded.tile_day), *bulk_columns(entries))
    grown, grown_counts = _by_window(tiles, folded.tile_owner, ~folded.tile_is_new, windows)
    new, new_counts = _by_window(tiles, folded.tile_owner, folded.tile_is_new, windows)
    dropped_counts = np.bincount(folded.dropped_owner, minlength=windows)
    dropped = gather(_tile_arguments(folded.dropped_day), dropped_counts)
    expected = join_columns(b"$8\r\n", rows_of(stored.version), b"\r\n")
    if not stored.exists.all():
        expected = pc.if_else(pa.array(stored.exists), expected, _NO_VERSION)
    header = folded.header.copy()
    header["version"] = np.frombuffer(b"".join(versions), header.dtype["version"])
    headers = join_columns(rows_of(header), gather(rows_of(folded.applied), header["partitions"].astype(np.int64)))

    named = len(("EVALSHA", "digest", "keys", "key", "version", "grown", "dropped"))
    fixed = named + 2 * len((*layout.features, "event time", "header"))
    arguments = fixed + 2 * grown_counts + dropped_counts + 2 * new_counts
    columns: list[Column] = [_ARRAY_HEADERS.take(pa.array(arguments)), *map(bulk, (b"EVALSHA", script, b"1"))]
    columns += [
        *bulk_columns(pa.array(keys, pa.binary())),
        expected,
        _NUMBERS.take(pa.array(grown_counts)),
        _NUMBERS.take(pa.array(dropped_counts)),
        grown,
        dropped,
    ]
    for (kind, field), values in zip(layout.features, folded.values, strict=True):
        column = values if isinstance(values, pa.Array) else pa.array(values, ARROW_TYPES[kind])
        columns += [bulk(field), *bulk_columns(encode_column(kind, column))]
    columns += [bulk(layout.timestamp_field), *bulk_columns(encode_timestamps(header["stamp_us"]))]
    columns += [bulk(HEADER_FIELD), *bulk_columns(headers), new]
    return join_columns(*columns).to_pylist()  # type: ignore[no-any-return]


def _tile_arguments(days: Ints) -> pa.BinaryArray:
    """The fields of the tiles of these days as arguments."""
    different, place = np.unique(days, return_inverse=True)
    return pa.array([bulk(tile_field(day)) for day in different.tolist()], pa.binary()).take(pa.array(place))


def _by_window(arguments: pa.BinaryArray, owner: Ints, chosen: Flags, windows: int) -> tuple[pa.BinaryArray, Ints]:
    """Each window's share of the arguments that are chosen, and how many these are."""
    counts = np.bincount(owner[chosen], minlength=windows)
    return gather(arguments if chosen.all() else arguments.filter(pa.array(chosen)), counts), counts
