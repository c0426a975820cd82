"""Arguments of Redis commands, one by one and by whole columns.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec
"""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.online.byte_columns import Column

_END = b"\r\n"
_HEADS = [b"$%d\r\n" % size for size in range(1 << 14)]
_HEAD_COLUMN = pa.array(_HEADS, pa.binary())


def bulk(data: bytes) -> bytes:
    """One argument."""
    size = len(data)
    return (_HEADS[size] if size < len(_HEADS) else b"$%d\r\n" % size) + data + _END


def bulk_columns(arguments: pa.BinaryArray) -> tuple[Column, Column, Column]:
    """One argument for each of many commands, as columns to join."""
    sizes = pc.binary_length(arguments)
    if (pc.max(sizes).as_py() or 0) < len(_HEADS):
        return _HEAD_COLUMN.take(sizes), arguments, _END
    return pa.array([b"$%d\r\n" % size for size in sizes.to_pylist()], pa.binary()), arguments, _END
