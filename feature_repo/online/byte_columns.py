"""Columns of bytes, cut and put together row by row in Arrow and numpy, not in Python."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.online.resp import array_header, bulk

Column: TypeAlias = pa.BinaryArray | bytes
"""Some bytes of each row: of its own, or the same for all."""

NOTHING = pa.scalar(b"", pa.binary())
_END = b"\r\n"
_BULK_HEADERS = pa.array([b"$%d\r\n" % size for size in range(1 << 14)], pa.binary())


def join_columns(*columns: Column) -> pa.BinaryArray:
    """Row by row, the columns' bytes one after the other.

    Args:
        columns: [n] each, without nulls, at least one of them not a constant.
    """
    parts: list[Any] = []
    constant = b""
    for column in columns:
        if isinstance(column, bytes):
            constant += column  # neighbouring constants are one
            continue
        if constant:
            parts.append(pa.scalar(constant, pa.binary()))
            constant = b""
        parts.append(column)
    if constant:
        parts.append(pa.scalar(constant, pa.binary()))
    return pc.binary_join_element_wise(*parts, NOTHING)


def bulk_columns(arguments: pa.BinaryArray) -> tuple[Column, Column, Column]:
    """One argument of a Redis command (``resp.bulk``) for each row, as columns to join."""
    sizes = pc.binary_length(arguments)
    if (pc.max(sizes).as_py() or 0) < len(_BULK_HEADERS):
        return _BULK_HEADERS.take(sizes), arguments, _END
    return pa.array([b"$%d\r\n" % size for size in sizes.to_pylist()], pa.binary()), arguments, _END


def commands(*arguments: Column) -> pa.BinaryArray:
    """One command for each row, [n].

    hiredis, which needs each row's arguments as Python objects, takes 22 us for one of 16 features, this 10.
    """
    columns: list[Column] = [array_header(len(arguments))]
    for argument in arguments:
        columns += (bulk(argument),) if isinstance(argument, bytes) else bulk_columns(argument)
    return join_columns(*columns)


def gather(elements: pa.BinaryArray, counts: npt.NDArray[Any]) -> pa.BinaryArray:
    """Rows of so many elements each, one after the other; the elements' bytes stay where they are.

    Args:
        elements: [sum of counts].
        counts: [n].
    """
    _, offsets, data = elements.buffers()
    bounds = np.frombuffer(offsets, dtype=np.int32, count=elements.offset + len(elements) + 1)
    return _of_buffers(bounds[_starts(counts) + elements.offset], data)


def split(data: npt.NDArray[np.uint8], lengths: npt.NDArray[Any]) -> pa.BinaryArray:
    """Rows of so many bytes each, one after the other.

    Args:
        data: [sum of lengths].
        lengths: [n].
    """
    return _of_buffers(_starts(lengths), pa.py_buffer(np.ascontiguousarray(data)))


def cut(table: npt.NDArray[np.uint8], lengths: npt.NDArray[Any]) -> pa.BinaryArray:
    """The first ``lengths[i]`` bytes of each row of ``table``, [n, width]."""
    width = table.shape[1]
    is_whole = bool((lengths == width).all())
    return split(table.reshape(-1) if is_whole else table[np.arange(width) < lengths[:, np.newaxis]], lengths)


def rows_of(table: npt.NDArray[Any]) -> pa.BinaryArray:
    """The bytes of each record, [n]."""
    return split(np.ascontiguousarray(table).view(np.uint8), np.full(table.size, table.dtype.itemsize))


def ranges(starts: npt.NDArray[np.int64], counts: npt.NDArray[Any], step: int = 1) -> npt.NDArray[np.int64]:
    """``counts[i]`` numbers from ``starts[i]`` on, ``step`` apart, one range after the other, [sum of counts]."""
    ends = np.cumsum(counts, dtype=np.int64)
    within = np.arange(ends[-1] if ends.size else 0) - np.repeat(ends - counts.astype(np.int64), counts)
    return np.repeat(starts, counts) + step * within


def records(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """What lies at these places, [n] of ``kind``."""
    return data[starts[:, np.newaxis] + np.arange(kind.itemsize)].view(kind)[:, 0]


def slices(
    data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], lengths: npt.NDArray[np.int64]
) -> pa.BinaryArray:
    """``lengths[i]`` bytes from ``starts[i]`` on, [n]."""
    return split(data[ranges(starts, lengths)], lengths)


def _starts(sizes: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    return np.concatenate((np.zeros(1, np.int64), np.cumsum(sizes)))


def _of_buffers(offsets: npt.NDArray[Any], data: pa.Buffer) -> pa.BinaryArray:
    as_arrow_has_them = pa.py_buffer(np.ascontiguousarray(offsets, dtype=np.int32))
    return pa.Array.from_buffers(pa.binary(), offsets.size - 1, [None, as_arrow_has_them, data])
