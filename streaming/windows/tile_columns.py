"""The tiles of many windows at once: the same bytes as ``tiles`` packs and unpacks one by one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.online.byte_columns import join_columns, ranges, records, rows_of, slices
from infra.base.calendar import DAY_MICROS
from streaming.events.purchase_columns import Ints, PurchaseColumns
from streaming.windows.tiles import TileFormat


def pack_entries(tiles: TileFormat, purchases: PurchaseColumns) -> pa.BinaryArray:
    """Each purchase as an entry, [n]."""
    heads = np.empty(len(purchases), tiles.head)
    texts: list[pa.BinaryArray] = []
    for name in tiles.head.names or ():
        text = name.removesuffix("_size")
        if text in tiles.texts:
            texts.append(getattr(purchases, text))
            heads[name] = pc.binary_length(texts[-1])
        else:
            heads[name] = _values(getattr(purchases, name), tiles.head[name])
    return join_columns(rows_of(heads), *texts)


def unpack_tiles(
    tiles: TileFormat, data: npt.NDArray[np.uint8], starts: Ints, ends: Ints, owner: Ints
) -> PurchaseColumns:
    """The purchases of tiles.

    Args:
        data: holds them, one after the other; there may be other bytes between them.
        starts, ends: where each begins and ends, [t], ascending.
        owner: the number of the window that each belongs to, [t].
    """
    tile, positions = _entries(tiles, data, starts, ends)
    heads = records(data, positions, tiles.head)
    texts: dict[str, pa.BinaryArray] = {}
    positions = positions + tiles.head.itemsize
    for text in tiles.texts:
        sizes = heads[f"{text}_size"].astype(np.int64)
        texts[text] = slices(data, positions, sizes)
        positions = positions + sizes
    told = tiles.head.names or ()
    at_us, price, channel, partition, offset = (
        heads[name].astype(np.int64) if name in told else np.zeros(heads.size, np.int64)
        for name in ("occurred_at_us", "price_micros", "sales_channel_id", "partition", "offset")
    )
    return PurchaseColumns(
        owner=owner[tile],
        occurred_at_us=at_us,
        day=at_us // DAY_MICROS,
        price_micros=price,
        sales_channel_id=channel,
        partition=partition,
        offset=offset,
        event_id=texts.get("event_id"),
        article_id=texts.get("article_id"),
        buyer=rows_of(heads["buyer"]) if "buyer" in told else None,
    )


def _entries(tiles: TileFormat, data: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """The tile of each entry, and where it begins."""
    size = tiles.head.itemsize
    if not tiles.texts:
        counts = (ends - starts) // size
        return np.repeat(np.arange(starts.size), counts), ranges(starts, counts, size)
    # How long an entry is stands in it: all first ones, then all second ones, and so on.
    fields: Mapping[str, Any] = tiles.head.fields or {}
    places_of_sizes = [fields[f"{text}_size"][1] for text in tiles.texts]
    tile, position = np.arange(starts.size), starts
    found: list[tuple[Ints, Ints]] = []
    while tile.size:
        found.append((tile, position))
        position = position + size + sum(data[position + place].astype(np.int64) for place in places_of_sizes)
        goes_on = position < ends[tile]
        tile, position = tile[goes_on], position[goes_on]
    tile, position = (np.concatenate(column) for column in zip(*found, strict=True)) if found else (tile, position)
    order = np.argsort(position)
    return tile[order], position[order]


def _values(column: Any, kind: np.dtype[Any]) -> Any:
    """Numbers as they are; bytes of fixed size out of Arrow's buffer."""
    if isinstance(column, np.ndarray):
        return column
    _, offsets, data = column.buffers()
    first = np.frombuffer(offsets, np.int32, count=1, offset=4 * column.offset)[0]
    return np.frombuffer(data, kind, count=len(column), offset=first)
