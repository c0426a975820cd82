"""Encodes whole columns of features into Feast's values: the same bytes as ``format.encode_value``, row by row.

Nothing is done per row in Python: numbers become bytes in numpy, pieces are put together by Arrow. A property test
compares with ``encode_value``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.online.byte_columns import NOTHING, cut, gather, join_columns, split
from feature_repo.online.format import TAG_DOUBLE, TAG_FLOATS, TAG_INT64, TAG_INT64S, TAG_STRING, TAG_STRINGS
from feature_repo.schema import Kind

ARROW_TYPES = {
    Kind.STRING: pa.string(),
    Kind.INT64: pa.int64(),
    Kind.FLOAT64: pa.float64(),
    Kind.BOOL: pa.bool_(),
    Kind.STRINGS: pa.list_(pa.string()),
    Kind.INT64S: pa.list_(pa.int64()),
    Kind.FLOAT32S: pa.list_(pa.float32()),
}
"""What a column of each kind is in Arrow."""

_ELEMENT = b"\x0a"
_BOOLS = pa.array([b"\x38\x00", b"\x38\x01"], pa.binary())
_TWO_SEPTETS = 1 << 14
_SHORT_VARINTS = pa.array(
    [bytes((n,)) if n < 0x80 else bytes((n & 0x7F | 0x80, n >> 7)) for n in range(_TWO_SEPTETS)], pa.binary()
)
_SHIFTS = np.arange(10, dtype=np.uint64) * np.uint64(7)
_ONE_BYTE_MORE_FROM = np.uint64(1) << _SHIFTS[1:]
_DOUBLE_BYTES, _FLOAT_BYTES = 8, 4


def encode_column(kind: Kind, column: pa.Array) -> pa.BinaryArray:
    """Encode a column of one feature; missing values and NaN become the unset value, which is empty.

    Args:
        kind: what the column holds.
        column: an Arrow array of the kind's ``ARROW_TYPES``, [n].

    Returns:
        [n], without nulls.

    Raises:
        ValueError: a list has missing elements.
    """
    if kind is Kind.FLOAT64:
        return _doubles(_filled(column, np.nan).to_numpy())
    if kind is Kind.INT64:
        encoded = join_columns(bytes((TAG_INT64,)), encode_varints(_filled(column, 0).to_numpy()))
    elif kind is Kind.BOOL:
        encoded = _BOOLS.take(_filled(column, False).cast(pa.int8()))
    elif kind is Kind.STRING:
        encoded = join_columns(bytes((TAG_STRING,)), *_delimited(_filled(column, "").cast(pa.binary())))
    else:
        encoded = _lists(kind, column)
    return pc.if_else(column.is_valid(), encoded, NOTHING) if column.null_count else encoded


def encode_timestamps(micros: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """Encode event times, microseconds since 1970-01-01, as ``format.encode_timestamp_micros`` does."""
    seconds, micros_of_second = np.divmod(micros, 1_000_000)
    parts = []
    for tag, numbers in ((b"\x08", seconds), (b"\x10", micros_of_second * 1000)):
        if numbers.any():  # protobuf omits zeros
            encoded = join_columns(tag, encode_varints(numbers))
            parts.append(encoded if numbers.all() else pc.if_else(pa.array(numbers != 0), encoded, NOTHING))
    return join_columns(*parts) if parts else split(np.empty(0, np.uint8), np.zeros(micros.size, np.int64))


def encode_varints(numbers: npt.NDArray[np.int64]) -> pa.BinaryArray:
    """Protobuf's base-128 encoding of each number; a negative one takes ten bytes."""
    unsigned = numbers.astype(np.int64).view(np.uint64)
    if unsigned.max(initial=0) < _TWO_SEPTETS:
        return _SHORT_VARINTS.take(pa.array(unsigned))
    lengths = 1 + (unsigned[:, np.newaxis] >= _ONE_BYTE_MORE_FROM).sum(axis=1)
    septets = unsigned[:, np.newaxis] >> _SHIFTS[: lengths.max()]
    octets = septets.astype(np.uint8) | np.uint8(0x80)
    octets[np.arange(numbers.size), lengths - 1] &= np.uint8(0x7F)
    return cut(octets, lengths)


def _filled(column: pa.Array, value: Any) -> pa.Array:
    return column.fill_null(value) if column.null_count else column


def _doubles(numbers: npt.NDArray[np.float64]) -> pa.BinaryArray:
    octets = np.empty((numbers.size, 1 + _DOUBLE_BYTES), dtype=np.uint8)
    octets[:, 0] = TAG_DOUBLE
    octets[:, 1:] = np.ascontiguousarray(numbers, dtype="<f8").view(np.uint8).reshape(-1, _DOUBLE_BYTES)
    return cut(octets, np.where(np.isnan(numbers), 0, 1 + _DOUBLE_BYTES))


def _lists(kind: Kind, column: pa.ListArray) -> pa.BinaryArray:
    counts = _filled(pc.list_value_length(column), 0).to_numpy()
    elements = column.flatten()
    if elements.null_count:
        raise ValueError(f"a list of the kind {kind.value} has missing elements; give them values or leave them out")
    if kind is Kind.STRINGS:
        texts = join_columns(_ELEMENT, *_delimited(elements.cast(pa.binary())))
        return join_columns(bytes((TAG_STRINGS,)), *_delimited(gather(texts, counts)))
    if kind is Kind.INT64S:
        tag, packed = bytes((TAG_INT64S,)), gather(encode_varints(elements.to_numpy()), counts)
    else:
        data = np.ascontiguousarray(elements.to_numpy(), dtype="<f4").view(np.uint8)
        tag, packed = TAG_FLOATS, split(data, counts * _FLOAT_BYTES)
    payloads = join_columns(_ELEMENT, *_delimited(packed))
    if not counts.all():  # protobuf omits an empty field
        payloads = pc.if_else(pa.array(counts != 0), payloads, NOTHING)
    return join_columns(tag, *_delimited(payloads))


def _delimited(column: pa.BinaryArray) -> tuple[pa.BinaryArray, pa.BinaryArray]:
    """Each row's length and the row."""
    return encode_varints(pc.binary_length(column).to_numpy()), column
