"""Protobuf's base-128 integers, one by one and many at once."""

from __future__ import annotations

import numpy as np

_TWO_TO_63, _TWO_TO_64 = 1 << 63, 1 << 64
_LONGEST_VARINT = 10


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


def read_varint(data: bytes, start: int) -> tuple[int, int]:
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
