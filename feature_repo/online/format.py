"""Feast's Redis format, byte by byte: keys, hash fields, values and event times.

One Redis hash per entity holds all views. Its key is the entity key (serialization version 3) followed by the project's
name; a feature's field is four bytes of a hash of ``view:feature``, a view's event time sits in ``_ts:<view>``; values
are protobuf ``feast.types.Value`` messages, event times protobuf ``Timestamp`` messages.
Source: https://github.com/feast-dev/feast/blob/master/docs/specs/online_store_format.md and ``Value.proto`` beside it.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import mmh3
import numpy as np

from feature_repo.schema import ENTITIES, PROJECT, VIEWS, Kind, View

_STRING_TYPE = 2  # ValueType.STRING, in entity keys
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DOUBLE = struct.Struct("<d")
_FLOAT = struct.Struct("<f")
_TWO_TO_63, _TWO_TO_64 = 1 << 63, 1 << 64
_LONGEST_VARINT = 10
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


def entity_key(entity: str, entity_id: str) -> bytes:
    """The Redis key of one ``customer`` or ``article``; all its views live in this hash."""
    encoded = entity_id.encode()
    return _key_prefix(entity) + struct.pack("<I", len(encoded)) + encoded + PROJECT.encode()


@cache
def _key_prefix(entity: str) -> bytes:
    join_key = ENTITIES[entity][0].encode()
    return struct.pack("<III", 1, _STRING_TYPE, len(join_key)) + join_key + struct.pack("<I", _STRING_TYPE)


@cache
def feature_field(view: str, feature: str) -> bytes:
    """The hash field of one feature: 4 bytes."""
    return struct.pack("<I", mmh3.hash(f"{view}:{feature}", signed=False))


@cache
def timestamp_field(view: str) -> bytes:
    """The hash field of a view's event time."""
    return f"_ts:{view}".encode()


def check_collisions(views: Iterable[View]) -> None:
    """Make sure that no two features of one entity share a hash field, for one would silently overwrite the other.

    Raises:
        ValueError: two features collide; renaming either of them is the way out.
    """
    seen: dict[tuple[str, bytes], str] = {}
    for view in views:
        for feature in view.features:
            reference = f"{view.name}:{feature.name}"
            other = seen.setdefault((view.entity, feature_field(view.name, feature.name)), reference)
            if other != reference:
                raise ValueError(
                    f"features {other!r} and {reference!r} of entity {view.entity!r} share the 32-bit Redis field "
                    f"{feature_field(view.name, feature.name).hex()}; rename one of them in feature_repo/schema.py"
                )


check_collisions(VIEWS)


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


def encode_varint(number: int) -> bytes:
    """Protobuf's base-128 encoding; a negative number takes ten bytes, as two's complement of 64 bits."""
    if 0 <= number < _TWO_SEPTETS:
        return SHORT_VARINTS[number]
    if not -_TWO_TO_63 <= number < _TWO_TO_63:
        raise ValueError(f"integer feature value {number} does not fit 64 bits")
    number %= _TWO_TO_64
    encoded = b""
    while number >= _TWO_SEPTETS:
        encoded += _CONTINUED[number % _TWO_SEPTETS]
        number >>= 14
    return encoded + SHORT_VARINTS[number]


# Two septets at a time: an instant in microseconds is four look-ups.
_TWO_SEPTETS = 1 << 14
_CONTINUED = [bytes((number & 0x7F | 0x80, number >> 7 | 0x80)) for number in range(_TWO_SEPTETS)]
SHORT_VARINTS = [
    bytes((number,)) if number < 0x80 else bytes((number & 0x7F | 0x80, number >> 7)) for number in range(_TWO_SEPTETS)
]
"""Of the numbers of at most two septets, each at its own place."""


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
            number, _ = _varint(data, 1)
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


def _varint(data: bytes, start: int) -> tuple[int, int]:
    """The unsigned number at ``start`` and the position behind it."""
    byte = data[start]
    if byte < 0x80:
        return byte, start + 1
    number, shift = byte & 0x7F, 7
    while True:
        start += 1
        byte = data[start]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, start + 1
        shift += 7


def _delimited(data: bytes, start: int) -> bytes:
    length, begin = _varint(data, start)
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
        length, begin = _varint(payload, position + 1)
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
        number, position = _varint(packed, position)
        numbers.append(number if number < _TWO_TO_63 else number - _TWO_TO_64)
    return numbers


def decode_varints(packed: bytes) -> np.ndarray:
    """Decode many protobuf varints at once into int64 [n].

    Raises:
        ValueError: the last one is cut short.
    """
    octets = np.frombuffer(packed, dtype=np.uint8)
    if not octets.size:
        return np.empty(0, dtype=np.int64)
    # Days and instants all take the same number of bytes: then one matrix product decodes them.
    width = int((octets[:_LONGEST_VARINT] < 0x80).argmax()) + 1
    if octets.size % width == 0:
        table = octets.reshape(-1, width)
        if (width == 1 or table[:, :-1].min() >= 0x80) and table[:, -1].max() < 0x80:
            weights, continuation_bits = _VARINT_WEIGHTS[width]
            return (table @ weights - continuation_bits).view(np.int64)
    ends = np.flatnonzero(octets < 0x80)
    if not ends.size or ends[-1] != octets.size - 1:
        raise ValueError(f"packed integers are cut short: {packed[-20:].hex()}")
    starts = np.empty_like(ends)
    starts[0] = 0
    starts[1:] = ends[:-1] + 1
    shifts = (np.arange(octets.size) - np.repeat(starts, ends - starts + 1)) * 7
    parts = (octets & 0x7F).astype(np.uint64) << shifts.astype(np.uint64)
    return np.add.reduceat(parts, starts).view(np.int64)


_VARINT_WEIGHTS = {
    width: (
        np.array([1 << 7 * position for position in range(width)], dtype=np.uint64),
        np.uint64(sum(0x80 << 7 * position for position in range(width - 1)) % _TWO_TO_64),
    )
    for width in range(1, _LONGEST_VARINT + 1)
}
"""By varint length: the weight of each byte, and what the bytes' continuation bits add up to, modulo 2**64."""


def encode_timestamp(instant: datetime) -> bytes:
    """Encode an event time; it must know its time zone.

    Raises:
        ValueError: a datetime without a time zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"event time {instant} has no time zone; give it one, such as datetime.UTC")
    return encode_timestamp_micros((instant - _EPOCH) // _MICROSECOND)


def encode_timestamp_micros(micros: int) -> bytes:
    """Encode an event time given in microseconds since 1970-01-01."""
    seconds, micros_of_second = divmod(micros, 1_000_000)
    encoded = b"\x08" + encode_varint(seconds) if seconds else b""
    return encoded + b"\x10" + encode_varint(micros_of_second * 1000) if micros_of_second else encoded


def decode_timestamp(data: bytes) -> datetime:
    """Decode an event time, UTC; what is below a microsecond is cut off."""
    return _EPOCH + timedelta(microseconds=decode_timestamp_micros(data))


def decode_timestamp_micros(data: bytes) -> int:
    """Decode an event time into microseconds since 1970-01-01.

    Raises:
        ValueError: not a protobuf Timestamp.
    """
    seconds = nanos = position = 0
    try:
        while position < len(data):
            tag = data[position]
            number, position = _varint(data, position + 1)
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
    return ttl_days > 0 and now_micros - event_micros > ttl_days * 86_400_000_000


def now_micros(now: datetime) -> int:
    """Microseconds since 1970-01-01 of a timezone-aware instant."""
    return (now - _EPOCH) // _MICROSECOND


def fields_of_views(views: Sequence[View]) -> list[bytes]:
    """The hash fields of the views' features and event times: each view's features in order, then its event time."""
    fields = []
    for view in views:
        fields += [feature_field(view.name, feature.name) for feature in view.features]
        fields.append(timestamp_field(view.name))
    return fields
