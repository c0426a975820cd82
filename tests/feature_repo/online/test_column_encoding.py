"""Whole columns become the very bytes that one value after the other becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.online.byte_columns import bulk_columns, join_columns
from feature_repo.online.column_encoding import ARROW_TYPES, encode_column, encode_timestamps, encode_varints
from feature_repo.online.format import encode_timestamp_micros, encode_value
from feature_repo.online.resp import bulk
from feature_repo.schema import Kind

integers = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 20_000),
    st.integers(2**48, 2**57),
    st.sampled_from([0, 2**14 - 1, 2**14, 2**49, 2**56, 2**63 - 1]),
)
VALUES: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.INT64: integers,
    Kind.FLOAT64: st.floats(),
    Kind.BOOL: st.booleans(),
    Kind.STRING: st.text(max_size=150),
    Kind.STRINGS: st.lists(st.text(max_size=150), max_size=25),
    Kind.INT64S: st.lists(integers, max_size=25),
    Kind.FLOAT32S: st.lists(st.floats(width=32, allow_nan=False), max_size=300),
}


def columns(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Any]]:
    """Columns with and without gaps, the empty one too."""
    return st.lists(strategy, max_size=12) | st.lists(st.none() | strategy, max_size=12)


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_a_column_is_encoded_as_its_values_are(kind: Kind, data: st.DataObject) -> None:
    column = data.draw(columns(VALUES[kind]))
    encoded = encode_column(kind, pa.array(column, ARROW_TYPES[kind]))
    assert encoded.null_count == 0
    assert encoded.to_pylist() == [encode_value(kind, value) for value in column]


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_a_slice_of_a_column_is_encoded_as_if_it_were_whole(kind: Kind, data: st.DataObject) -> None:
    column = data.draw(columns(VALUES[kind]))
    start = data.draw(st.integers(0, len(column)))
    assert encode_column(kind, pa.array(column, ARROW_TYPES[kind]).slice(start)).to_pylist() == [
        encode_value(kind, value) for value in column[start:]
    ]


@pytest.mark.parametrize(("kind", "column"), [(Kind.STRINGS, [["a", None]]), (Kind.INT64S, [[None]])])
def test_a_list_with_a_missing_element_is_refused(kind: Kind, column: list[Any]) -> None:
    with pytest.raises(ValueError, match="missing elements"):
        encode_column(kind, pa.array(column, ARROW_TYPES[kind]))


@given(st.lists(integers, max_size=20))
def test_varints(numbers: list[int]) -> None:
    assert encode_varints(np.array(numbers, dtype=np.int64)).to_pylist() == [
        encode_value(Kind.INT64, n)[1:] for n in numbers
    ]


@given(st.lists(st.one_of(st.integers(0, 2**56), st.integers(0, 2**33).map(lambda s: s * 1_000_000)), max_size=12))
def test_event_times(micros: list[int]) -> None:
    encoded = encode_timestamps(np.array(micros, dtype=np.int64)).to_pylist()
    assert encoded == [encode_timestamp_micros(instant) for instant in micros]


@pytest.mark.parametrize("size_of", [lambda row: row, lambda row: row * 9_000], ids=["short", "long"])
def test_commands_are_joined_row_by_row(size_of: Callable[[int], int]) -> None:
    arguments = [b"x" * size_of(row) for row in range(3)]
    joined = join_columns(b"<", b"head", *bulk_columns(pa.array(arguments, pa.binary())), b">")
    assert joined.to_pylist() == [b"<head" + bulk(argument) + b">" for argument in arguments]
