"""The fast packing gives the very bytes of the general one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.online.format import encode_timestamp_micros, encode_value
from feature_repo.schema import Kind
from streaming.feature_packing import pack_timestamp, packer
from streaming.redis_pipe import bulk

integers = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(0, 20_000),
    st.integers(0, 2**31),
    st.integers(2**48, 2**57),
    st.sampled_from([2**49, 2**56]),
)
ids = st.one_of(st.text(max_size=140), st.text("0123456789", min_size=10, max_size=10), st.text("é\n", max_size=3))
VALUES = {
    Kind.INT64: st.none() | integers,
    Kind.FLOAT64: st.none() | st.floats(),
    Kind.INT64S: st.lists(integers, max_size=30) | st.lists(st.integers(2**50, 2**51), max_size=30),
    Kind.STRINGS: st.lists(ids, max_size=30) | st.lists(st.text("0123456789", min_size=10, max_size=10), max_size=30),
    Kind.STRING: st.none() | st.text(),
    Kind.BOOL: st.none() | st.booleans(),
}


@pytest.mark.parametrize("kind", VALUES)
@given(data=st.data())
def test_packed_is_bulk_of_encoded(kind: Kind, data: st.DataObject) -> None:
    value: Any = data.draw(VALUES[kind])
    assert packer(kind)(value) == bulk(encode_value(kind, value))


@given(st.one_of(st.integers(0, 2**56), st.integers(0, 2**33).map(lambda seconds: seconds * 1_000_000)))
def test_a_packed_timestamp_is_bulk_of_the_encoded_one(micros: int) -> None:
    assert pack_timestamp(micros) == bulk(encode_timestamp_micros(micros))
