"""Feast's Redis format, byte by byte: values and event times, whose places ``keys`` gives.

Values are protobuf ``feast.types.Value`` messages, event times protobuf ``Timestamp`` messages.
Source: https://github.com/feast-dev/feast/blob/master/docs/specs/online_store_format.md and ``Value.proto`` beside it.
"""

from __future__ import annotations

import math
import struct
from datetime import datetime
from typing import Any

import numpy as np

from feature_repo.online.varints import decode_varints, encode_varint, read_varint
from feature_repo.schema import Kind
from infra.base.calendar import DAY_MICROS, epoch_micros, instant_of

_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")
_TWO_TO_63, _TWO_TO_64 = 1 << 63, 1 << 64
_LONG_VARINT_LIST_BYTES = 48  # from here on numpy is faster than a loop

# Protobuf tags of the value types in use: field number << 3 | wire type. A field number above 15 takes two bytes.
TAG_STRING = 2 << 3 | 2
TAG_INT32 = 3 << 3
TAG_INT64 = 4 << 3
TAG_DOUBLE = 5 << 3 | 1
TAG_FLOAT = 6 << 3 | 5
TAG_BOOL = 7 << 3
TAG_UNIX_TIMESTAMP = 8 << 3
TAG_STRINGS = 12 << 3 | 2
TAG_INT64S = 14 << 3 | 2
TAG_FLOATS = b"\x82\x01"  # 16 << 3 | 2
TAG_NULL = b"\x98\x01"  # 19 << 3
_INTEGER_TAGS = frozenset((TAG_INT32, TAG_INT64, TAG_UNIX_TIMESTAMP))
_ELEMENT = b"\x0a"  # field 1, length-delimited: an element of a list message, or its packed elements


def encode_value(kind: Kind, value: Any) -> bytes:
    """Encode one feature value as Feast does; ``None`` and NaN become the unset value, which is empty.

    Raises:
        ValueError: an integer does not fit 64 bits.
        TypeError, AttributeError: the value is not of this kind.
    """
    if value is None:
        return b""
    if kind is Kind.INT64:
        return b"\x20" + encode_varint(int(value))
    if kind is Kind.FLOAT64:
        return b"" if math.isnan(value) else b"\x29" + _DOUBLE.pack(value)
    if kind is Kind.STRING:
        encoded = value.encode()
        return b"\x12" + encode_varint(len(encoded)) + encoded
    if kind is Kind.BOOL:
        return b"\x38\x01" if value else b"\x38\x00"
    if kind is Kind.STRINGS:
        parts = [text.encode() for text in value]
        payload = b"".join([_ELEMENT + encode_varint(len(part)) + part for part in parts])
        return b"\x62" + encode_varint(len(payload)) + payload
    if kind is Kind.INT64S:
        return b"\x72" + _packed(b"".join([encode_varint(int(number)) for number in value]))
    return TAG_FLOATS + _packed(np.asarray(value, dtype="<f4").tobytes())


def _packed(elements: bytes) -> bytes:
    """A list message with its elements in one packed field, behind its length; protobuf omits an empty field."""
    payload = _ELEMENT + encode_varint(len(elements)) + elements if elements else b""
    return encode_varint(len(payload)) + payload


def decode_value(data: bytes) -> Any:
    """Decode one feature value.

    Returns:
        ``None`` if unset, else int, float, str, bool, ``list[str]``, ``list[int]`` or a float32 array (a list of
        floats). Feast's unix timestamps come as int, in seconds.

    Raises:
        ValueError: not a value of a type in use, or cut short.
    """
    if not data:
        return None
    try:
        tag = data[0]
        if tag in _INTEGER_TAGS:
            number = data[1]
            if number < 0x80:
                return number
            number, _ = read_varint(data, 1)
            return number if number < _TWO_TO_63 else number - _TWO_TO_64
        if tag == TAG_DOUBLE:
            return _DOUBLE.unpack_from(data, 1)[0]
        if tag == TAG_STRING:
            return _delimited(data, 1).decode()
        if tag == TAG_BOOL:
            return data[1] != 0
        if tag == TAG_STRINGS:
            return _strings(_delimited(data, 1))
        if tag == TAG_INT64S:
            return _integers(_packed_elements(data, 1))
        if data.startswith(TAG_FLOATS):
            return np.frombuffer(_packed_elements(data, 2), dtype="<f4")
        if tag == TAG_FLOAT:
            return _FLOAT.unpack_from(data, 1)[0]
        if data.startswith(TAG_NULL):
            return None
    except (IndexError, struct.error) as error:
        raise ValueError(f"Feast value {data[:40].hex()} is cut short") from error
    raise ValueError(f"Feast value {data[:40].hex()} has a type that no feature view uses (tag {tag})")


def _delimited(data: bytes, start: int) -> bytes:
    length, begin = read_varint(data, start)
    if len(data) < begin + length:
        raise IndexError
    return data[begin : begin + length]


def _packed_elements(data: bytes, start: int) -> bytes:
    payload = _delimited(data, start)
    if not payload:
        return b""
    if payload[:1] != _ELEMENT:
        raise ValueError(f"Feast value {data[:40].hex()} is not a packed list")
    return _delimited(payload, 1)


def _strings(payload: bytes) -> list[str]:
    if not payload:
        return []
    # Article ids are all of one length, so that each follows the same two bytes: splitting there is five times as fast
    # as parsing one by one. That every piece has that length proves that no id contains the two bytes.
    width = payload[1]
    if width < 0x80 and payload.isascii():
        pieces = payload.decode("ascii").split("\n" + chr(width))
        if not pieces.pop(0) and set(map(len, pieces)) == {width}:
            return pieces
    strings, position = [], 0
    while position < len(payload):
        if payload[position] != 0x0A:
            raise ValueError(f"Feast value has an unknown field in a list of strings: {payload[:40].hex()}")
        length, begin = read_varint(payload, position + 1)
        position = begin + length
        if position > len(payload):
            raise IndexError
        strings.append(payload[begin:position].decode())
    return strings


def _integers(packed: bytes) -> list[int]:
    if packed.isascii():  # every byte below 0x80: each is a number
        return list(packed)
    if len(packed) >= _LONG_VARINT_LIST_BYTES:
        return decode_varints(packed).tolist()  # type: ignore[no-any-return]
    numbers, position = [], 0
    while position < len(packed):
        number, position = read_varint(packed, position)
        numbers.append(number if number < _TWO_TO_63 else number - _TWO_TO_64)
    return numbers


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
    encoded = b"\x08" + encode_varint(seconds) if seconds else b""
    return encoded + b"\x10" + encode_varint(micros_of_second * 1000) if micros_of_second else encoded


def decode_timestamp(data: bytes) -> datetime:
    """Decode an event time, UTC; what is below a microsecond is cut off."""
    return instant_of(decode_timestamp_micros(data))


def decode_timestamp_micros(data: bytes) -> int:
    """Decode an event time into microseconds since 1970-01-01.

    Raises:
        ValueError: not a protobuf Timestamp.
    """
    seconds = nanos = position = 0
    try:
        while position < len(data):
            tag = data[position]
            number, position = read_varint(data, position + 1)
            if tag == 0x08:
                seconds = number if number < _TWO_TO_63 else number - _TWO_TO_64
            elif tag == 0x10:
                nanos = number
            else:
                raise ValueError(f"event time {data.hex()} is not a protobuf Timestamp")
    except IndexError as error:
        raise ValueError(f"event time {data.hex()} is cut short") from error
    return seconds * 1_000_000 + nanos // 1000


def is_expired(event_micros: int, ttl_days: int, now_micros: int) -> bool:
    """Whether a view's values are older than its time to live (0: forever). Feast does not check this on reads."""
    return ttl_days > 0 and now_micros - event_micros > ttl_days * DAY_MICROS
