"""Decode the numbers of a whole catalogue at once: 105,542 articles x 7 features in a fraction of a second."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np

from feature_repo.online.format import TAG_BOOL, TAG_DOUBLE, TAG_INT64, decode_timestamp_micros, is_expired
from feature_repo.schema import Kind, View
from infra.base.calendar import epoch_micros

_LONGEST_VARINT = 10
_TAGS = {Kind.INT64: TAG_INT64, Kind.BOOL: TAG_BOOL, Kind.FLOAT64: TAG_DOUBLE}


def numeric_columns(
    raw_rows: Sequence[Sequence[bytes | None]], kinds: Sequence[Kind], dtype: type[np.floating] = np.float32
) -> np.ndarray:
    """Decode rows of Feast values into an array [rows, features]; missing and unset values become NaN.

    Args:
        raw_rows: one HMGET reply per entity, each with one value per kind, in order.
        kinds: INT64, FLOAT64 or BOOL, one per column.
        dtype: float64 where instants in microseconds must stay exact; float32 does not hold them.

    Raises:
        ValueError: a row has another length, a kind is not numeric, or a value is not of its kind.
    """
    for kind in kinds:
        if kind not in _TAGS:
            raise ValueError(f"{kind} is not numeric; numeric columns are {[kind.name for kind in _TAGS]}")
    if any(len(row) != len(kinds) for row in raw_rows):
        raise ValueError(f"every row must hold {len(kinds)} values")
    cells = [cell or b"" for row in raw_rows for cell in row]
    lengths = np.fromiter(map(len, cells), dtype=np.int64, count=len(cells)).reshape(len(raw_rows), len(kinds))
    # Padding lets every gather below read past a short last value without a bounds check.
    octets = np.frombuffer(b"".join([*cells, bytes(_LONGEST_VARINT + 1)]), dtype=np.uint8)
    starts = (np.cumsum(lengths) - lengths.ravel()).reshape(lengths.shape)
    result = np.full(lengths.shape, np.nan, dtype=dtype)
    for column, kind in enumerate(kinds):
        present = np.flatnonzero(lengths[:, column])
        begins, sizes = starts[present, column], lengths[present, column]
        if (octets[begins] != _TAGS[kind]).any():
            row = present[np.flatnonzero(octets[begins] != _TAGS[kind])[0]]
            raise ValueError(f"row {row}, column {column} holds {raw_rows[row][column]!r}; expected {kind.name}")
        result[present, column] = _decode(octets, begins + 1, sizes - 1, kind)
    return result


def numeric_view(
    view: View, raw_rows: Sequence[Sequence[bytes | None]], now: datetime, dtype: type[np.floating] = np.float32
) -> np.ndarray:
    """Decode replies to ``hmget(key, fields_of([view]))`` of a view whose features are all numbers.

    Returns:
        ``dtype`` [rows, features]. Entities without the view, or with values older than its time to live, are NaN.
    """
    values = numeric_columns([row[:-1] for row in raw_rows], [feature.kind for feature in view.features], dtype)
    clock_micros = epoch_micros(now)
    # Rows written together share their event time, so few of them need decoding.
    absent_by_stamp = {
        stamp: stamp is None
        or (view.ttl_days > 0 and is_expired(decode_timestamp_micros(stamp), view.ttl_days, clock_micros))
        for stamp in {row[-1] for row in raw_rows}
    }
    absent = [absent_by_stamp[row[-1]] for row in raw_rows]
    values[np.array(absent, dtype=bool)] = np.nan
    return values


def _decode(octets: np.ndarray, begins: np.ndarray, sizes: np.ndarray, kind: Kind) -> np.ndarray:
    """Values whose payloads begin at ``begins`` and take ``sizes`` bytes."""
    if kind is Kind.FLOAT64:
        if (sizes != 8).any():
            raise ValueError("a float value does not take 8 bytes")
        return octets[begins[:, None] + np.arange(8)].view("<f8")[:, 0]
    if (sizes < 1).any() or (sizes > _LONGEST_VARINT).any():
        raise ValueError("an integer value does not take 1 to 10 bytes")
    numbers = np.zeros(len(begins), dtype=np.uint64)
    for position in range(int(sizes.max(initial=0))):
        longer = sizes > position
        septets = (octets[begins + position] & 0x7F).astype(np.uint64) << np.uint64(7 * position)
        numbers |= np.where(longer, septets, np.uint64(0))
    return numbers.view(np.int64)
