"""Feast's Redis format, byte by byte: values and event times, whose places ``keys`` gives.

Values are protobuf ``feast.types.Value`` messages, event times protobuf ``Timestamp`` messages.
Source: https://github.com/feast-dev/feast/blob/master/docs/specs/online_store_format.md and ``Value.proto`` beside it.
"""

from __future__ import annotations

import math
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from runpy import run_path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError
from google.protobuf.timestamp_pb2 import Timestamp

from feature_repo.schema import Kind
from infra.base.calendar import DAY_MICROS, epoch_micros, instant_of

# The module that Feast generated, by its place: ``import feast.protos`` would import all of Feast, which takes seconds.
_feast: Any = find_spec("feast")
Value: Any = run_path(str(Path(_feast.origin).with_name("protos") / "feast" / "types" / "Value_pb2.py"))["Value"]

# For whole columns, the protobuf tags of the value types in use: field number << 3 | wire type.
TAG_STRING = 2 << 3 | 2
TAG_INT64 = 4 << 3
TAG_DOUBLE = 5 << 3 | 1
TAG_BOOL = 7 << 3
TAG_STRINGS = 12 << 3 | 2
TAG_INT64S = 14 << 3 | 2
TAG_FLOATS = b"\x82\x01"  # 16 << 3 | 2; a field number above 15 takes two bytes

_FIELDS = {
    Kind.STRING: "string_val",
    Kind.INT64: "int64_val",
    Kind.FLOAT64: "double_val",
    Kind.BOOL: "bool_val",
    Kind.STRINGS: "string_list_val",
    Kind.INT64S: "int64_list_val",
    Kind.FLOAT32S: "float_list_val",
}
_SCALARS = {"string_val", "int64_val", "double_val", "bool_val", "int32_val", "float_val", "unix_timestamp_val"}


def encode_value(kind: Kind, value: Any) -> bytes:
    """Encode one feature value as Feast does; ``None`` and NaN become the unset value, which is empty.

    Raises:
        ValueError: an integer does not fit 64 bits.
        TypeError: the value is not of this kind.
    """
    if value is None or (kind is Kind.FLOAT64 and math.isnan(value)):
        return b""
    field = _FIELDS[kind]
    try:
        message = Value(**{field: value if field in _SCALARS else {"val": value}})
    except (ValueError, OverflowError) as error:
        raise ValueError(f"feature value {value!r} does not fit {kind.value}, of 64 bits at most: {error}") from error
    return message.SerializeToString()  # type: ignore[no-any-return]


def decode_value(data: bytes) -> Any:
    """Decode one feature value.

    Returns:
        ``None`` if unset, else int, float, str, bool, ``list[str]``, ``list[int]`` or a float32 array (a list of
        floats). Feast's unix timestamps come as int, in seconds.

    Raises:
        ValueError: not a value of a type in use, or cut short.
    """
    try:
        message = Value.FromString(data)
    except DecodeError as error:
        raise ValueError(f"Feast value {data[:40].hex()} is malformed or cut short") from error
    field = message.WhichOneof("val")
    if field in _SCALARS:
        return getattr(message, field)
    if field == "string_list_val" or field == "int64_list_val":
        return list(getattr(message, field).val)
    if field == "float_list_val":
        return np.array(message.float_list_val.val, dtype="<f4")
    if field == "null_val" or not data:
        return None
    raise ValueError(f"Feast value {data[:40].hex()} has a type that no feature view uses ({field or 'unknown'})")


def encode_timestamp(instant: datetime) -> bytes:
    """Encode an event time; it must know its time zone.

    Raises:
        ValueError: a datetime without a time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"event time {instant} has no time zone; give it one, such as datetime.UTC")
    return encode_timestamp_micros(epoch_micros(instant))


def encode_timestamp_micros(micros: int) -> bytes:
    """Encode an event time given in microseconds since 1970-01-01."""
    seconds, micros_of_second = divmod(micros, 1_000_000)
    return Timestamp(seconds=seconds, nanos=micros_of_second * 1000).SerializeToString()


def decode_timestamp(data: bytes) -> datetime:
    """Decode an event time, UTC; what is below a microsecond is cut off."""
    return instant_of(decode_timestamp_micros(data))


def decode_timestamp_micros(data: bytes) -> int:
    """Decode an event time into microseconds since 1970-01-01.

    Raises:
        ValueError: not a protobuf Timestamp.
    """
    try:
        instant = Timestamp.FromString(data)
    except DecodeError as error:
        raise ValueError(f"event time {data.hex()} is no protobuf Timestamp, or cut short") from error
    return instant.seconds * 1_000_000 + instant.nanos // 1000


def is_expired(event_micros: int, ttl_days: int, now_micros: int) -> bool:
    """Whether a view's values are older than its time to live (0: forever). Feast does not check this on reads."""
    return ttl_days > 0 and now_micros - event_micros > ttl_days * DAY_MICROS
