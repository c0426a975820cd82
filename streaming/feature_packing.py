"""Feast's values as arguments of Redis commands, packed fast: the same bytes as ``bulk(encode_value(kind, value))``.

A worker writes half a million values a second at full speed, nearly all of them small integers, instants, means and
lists of ids of one length; those have short cuts here, everything else goes the general way. A property test compares.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Any

from feature_repo.online.format import encode_timestamp_micros, encode_value, encode_varint
from feature_repo.schema import Kind
from streaming.redis_pipe import bulk

_MISSING = b"$0\r\n\r\n"
_SMALL_INTEGERS = [bulk(encode_value(Kind.INT64, number)) for number in range(16_384)]
_DOUBLE = Struct("<5sd2s").pack
_DOUBLE_HEAD, _END = b"$9\r\n\x29", b"\r\n"

# An instant of our time in microseconds has 51 bits, so eight groups of seven: four table look-ups.
_EIGHT_GROUPS = range(1 << 49, 1 << 56)
_CONTINUED = [bytes((number & 0x7F | 0x80, number >> 7 | 0x80)) for number in range(1 << 14)]
_LAST = [bytes((number & 0x7F | 0x80, number >> 7)) for number in range(1 << 14)]
_VARINTS = [encode_varint(number) for number in range(1 << 16)]  # nanoseconds of a second, without their lower groups


@lru_cache(maxsize=4_096)
def _upper_groups(number: int) -> bytes:
    """The upper four of eight groups: of instants, the same for four minutes."""
    return _CONTINUED[number & 0x3FFF] + _LAST[number >> 14]


def _instant_varint(number: int) -> bytes:
    return _CONTINUED[number & 0x3FFF] + _CONTINUED[number >> 14 & 0x3FFF] + _upper_groups(number >> 28)


def pack_timestamp(micros: int) -> bytes:
    """An event time in microseconds since 1970-01-01; the same bytes as ``bulk(encode_timestamp_micros(micros))``."""
    seconds, micros_of_second = divmod(micros, 1_000_000)
    if not micros_of_second:
        return bulk(_seconds(seconds))
    nanos = micros_of_second * 1_000
    lower = _CONTINUED[nanos & 0x3FFF] + _VARINTS[nanos >> 14] if nanos >> 14 else _VARINTS[nanos]
    return bulk(_seconds(seconds) + b"\x10" + lower)


@lru_cache(maxsize=4_096)
def _seconds(seconds: int) -> bytes:
    return encode_timestamp_micros(seconds * 1_000_000)


def _pack_integer(value: int | None) -> bytes:
    if value is None:
        return _MISSING
    if 0 <= value < 16_384:
        return _SMALL_INTEGERS[value]
    if value in _EIGHT_GROUPS:
        return b"$9\r\n\x20" + _instant_varint(value) + _END
    if 0 <= value < 1 << 30:
        return bulk(b"\x20" + _CONTINUED[value & 0x3FFF] + _VARINTS[value >> 14])
    return bulk(b"\x20" + encode_varint(value))


def _pack_double(value: float | None) -> bytes:
    if value is None or value != value:
        return _MISSING
    return _DOUBLE(_DOUBLE_HEAD, value, _END)


def _pack_strings(value: list[str]) -> bytes:
    if value:
        size = len(value[0])
        if size < 0x80 and len(set(map(len, value))) == 1:
            head = "\n" + chr(size)
            payload = (head + head.join(value)).encode()
            if len(payload) == len(value) * (size + 2):  # ASCII: as many bytes as characters
                return bulk(b"\x62" + encode_varint(len(payload)) + payload)
    return bulk(encode_value(Kind.STRINGS, value))


def _pack_integers(value: list[int]) -> bytes:
    if value and min(value) in _EIGHT_GROUPS and max(value) in _EIGHT_GROUPS:
        packed = b"".join([_instant_varint(number) for number in value])
        payload = b"\x0a" + encode_varint(len(packed)) + packed
        return bulk(b"\x72" + encode_varint(len(payload)) + payload)
    return bulk(encode_value(Kind.INT64S, value))


_PACKERS: dict[Kind, Callable[[Any], bytes]] = {
    Kind.INT64: _pack_integer,
    Kind.FLOAT64: _pack_double,
    Kind.STRINGS: _pack_strings,
    Kind.INT64S: _pack_integers,
}


def packer(kind: Kind) -> Callable[[Any], bytes]:
    """Packs values of this kind as one argument of a Redis command."""
    return _PACKERS.get(kind) or (lambda value: bulk(encode_value(kind, value)))
