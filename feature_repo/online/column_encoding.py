"""Encodes whole columns of features into Feast's values, each distinct value once."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from feature_repo.online.format import TAG_FLOATS, TAG_INT64S, TAG_STRINGS, encode_value, encode_varint
from feature_repo.schema import Kind

_ELEMENT = b"\x0a"


def encode_column(kind: Kind, column: pa.Array, finish: Callable[[bytes], bytes]) -> list[bytes]:
    """Encode a column of one feature; missing values become the unset value.

    Args:
        kind: what the column holds.
        column: an Arrow array of the kind's type.
        finish: applied to every encoded value, before equal ones are spread over their rows.
    """
    if kind in (Kind.STRINGS, Kind.INT64S, Kind.FLOAT32S):
        return [finish(value) for value in _encode_lists(kind, column)]
    return _spread(column, lambda value: finish(encode_value(kind, value)))


def _spread(column: pa.Array, encode: Callable[[Any], bytes]) -> list[bytes]:
    """Encode the distinct values of a column and put them in their rows' places."""
    coded = pc.dictionary_encode(column, null_encoding="encode")
    distinct = [encode(value) for value in coded.dictionary.to_pylist()]
    return [distinct[code] for code in coded.indices.to_pylist()]


def _encode_lists(kind: Kind, column: pa.ListArray) -> list[bytes]:
    bounds = column.offsets.to_pylist()
    elements = column.values
    if kind is Kind.FLOAT32S:
        data = elements.to_numpy(zero_copy_only=False).astype("<f4").tobytes()
        payloads = [_packed(data[4 * start : 4 * end]) for start, end in pairwise(bounds)]
        tag = TAG_FLOATS
    elif kind is Kind.INT64S:
        numbers = _spread(elements, encode_varint)
        payloads = [_packed(b"".join(numbers[start:end])) for start, end in pairwise(bounds)]
        tag = bytes((TAG_INT64S,))
    else:
        texts = _spread(elements, _string_element)
        payloads = [b"".join(texts[start:end]) for start, end in pairwise(bounds)]
        tag = bytes((TAG_STRINGS,))
    encoded = [tag + encode_varint(len(payload)) + payload for payload in payloads]
    if column.null_count:
        return [value if valid else b"" for value, valid in zip(encoded, column.is_valid().to_pylist(), strict=True)]
    return encoded


def _packed(elements: bytes) -> bytes:
    return _ELEMENT + encode_varint(len(elements)) + elements if elements else b""


def _string_element(text: str) -> bytes:
    encoded = text.encode()
    return _ELEMENT + encode_varint(len(encoded)) + encoded
