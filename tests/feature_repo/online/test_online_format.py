"""The bytes we write are Feast's own, and we read all that Feast writes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from feast.infra.online_stores.helpers import _mmh3, _redis_key
from feast.protos.feast.types.EntityKey_pb2 import EntityKey
from feast.protos.feast.types.Value_pb2 import (
    BoolList,
    FloatList,
    Int64List,
    Null,
    StringList,
    Value,
)
from feast.type_map import python_values_to_proto_values
from feast.value_type import ValueType
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.online.format import decode_timestamp, decode_value, encode_timestamp, encode_value
from feature_repo.online.keys import check_collisions, entity_key, feature_field, timestamp_field
from feature_repo.schema import VIEWS, Feature, Kind, View

FEAST_TYPES = {
    Kind.STRING: ValueType.STRING,
    Kind.INT64: ValueType.INT64,
    Kind.FLOAT64: ValueType.DOUBLE,
    Kind.BOOL: ValueType.BOOL,
    Kind.STRINGS: ValueType.STRING_LIST,
    Kind.INT64S: ValueType.INT64_LIST,
    Kind.FLOAT32S: ValueType.FLOAT_LIST,
}

int64s = st.integers(-(2**63), 2**63 - 1)
float32s = st.floats(width=32, allow_nan=False)
values = st.one_of(
    st.tuples(st.just(Kind.STRING), st.text()),
    st.tuples(st.just(Kind.INT64), int64s),
    st.tuples(st.just(Kind.FLOAT64), st.floats(allow_nan=False)),
    st.tuples(st.just(Kind.BOOL), st.booleans()),
    st.tuples(st.just(Kind.STRINGS), st.lists(st.text())),
    st.tuples(st.just(Kind.STRINGS), st.lists(st.text("\n\x02ab0", min_size=2, max_size=2))),
    st.tuples(st.just(Kind.INT64S), st.lists(int64s)),
    st.tuples(st.just(Kind.INT64S), st.lists(st.integers(16_384, 2_097_151), min_size=17)),
    st.tuples(st.just(Kind.FLOAT32S), st.lists(float32s)),
)


def plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, np.ndarray) else value


def test_golden_bytes() -> None:
    assert entity_key("article", "0108775015") == (
        b"\x01\x00\x00\x00\x02\x00\x00\x00\x0a\x00\x00\x00article_id\x02\x00\x00\x00\x0a\x00\x00\x000108775015vitrine"
    )
    assert feature_field("article_sales", "units").hex() == _mmh3("article_sales:units").hex()
    assert timestamp_field("article_sales") == b"_ts:article_sales"
    assert encode_value(Kind.INT64, -5) == b"\x20\xfb\xff\xff\xff\xff\xff\xff\xff\xff\x01"
    assert encode_value(Kind.FLOAT64, 0.0) == b"\x29" + bytes(8)
    assert encode_value(Kind.BOOL, False) == b"\x38\x00"
    assert encode_value(Kind.STRINGS, ["a", ""]) == b"b\x05\n\x01a\n\x00"
    assert encode_value(Kind.INT64S, [1, 300]) == b"r\x05\n\x03\x01\xac\x02"
    assert encode_value(Kind.FLOAT32S, [1.0]) == b"\x82\x01\x06\n\x04\x00\x00\x80?"
    assert encode_value(Kind.STRING, None) == encode_value(Kind.FLOAT64, float("nan")) == b""
    assert encode_timestamp(datetime(1970, 1, 1, 0, 0, 5, 1, tzinfo=UTC)) == b"\x08\x05\x10\xe8\x07"


@pytest.mark.parametrize("entity_id", ["0108775015", "00000dbacae5abe5", "é", ""])
def test_keys_are_those_of_feast(entity_id: str) -> None:
    for entity, join_key in (("article", "article_id"), ("customer", "customer_id")):
        key = EntityKey(join_keys=[join_key], entity_values=[Value(string_val=entity_id)])
        assert entity_key(entity, entity_id) == _redis_key("vitrine", key, entity_key_serialization_version=3)


def test_fields_are_those_of_feast() -> None:
    for view in VIEWS:
        for feature in view.features:
            assert feature_field(view.name, feature.name) == _mmh3(f"{view.name}:{feature.name}")


@given(values)
def test_values_are_those_of_feast_in_both_directions(kind_and_value: tuple[Kind, Any]) -> None:
    kind, value = kind_and_value
    theirs = python_values_to_proto_values([value], FEAST_TYPES[kind])[0].SerializeToString()
    assert encode_value(kind, value) == theirs
    assert plain(decode_value(theirs)) == value


def test_unset_null_and_types_that_other_writers_use_are_read() -> None:
    assert decode_value(Value().SerializeToString()) is None
    assert decode_value(Value(null_val=Null.NULL).SerializeToString()) is None
    assert decode_value(Value(int32_val=-7).SerializeToString()) == -7
    assert decode_value(Value(float_val=0.5).SerializeToString()) == 0.5
    assert decode_value(Value(unix_timestamp_val=-1).SerializeToString()) == -1
    for empty in (
        Value(float_list_val=FloatList()),
        Value(int64_list_val=Int64List()),
        Value(string_list_val=StringList()),
    ):
        assert plain(decode_value(empty.SerializeToString())) == []


def test_malformed_values_are_refused() -> None:
    for data in (
        b"\x29\x00",
        b"\x20\xff",
        b"\x12\x05ab",
        b"b\x05\n\x09a",
        b"r\x03\n\x01\xff",
        b"\x82\x01\x06\n\x04\x00",
    ):
        with pytest.raises(ValueError, match=r"cut short|Feast value"):
            decode_value(data)
    with pytest.raises(ValueError, match="no feature view uses"):
        decode_value(Value(bool_list_val=BoolList(val=[True])).SerializeToString())
    with pytest.raises(ValueError, match="64 bits"):
        encode_value(Kind.INT64, 2**63)


@given(st.datetimes(datetime(1901, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC)))
def test_timestamps_are_those_of_feast_in_both_directions(instant: datetime) -> None:
    theirs = Timestamp()
    theirs.FromDatetime(instant)
    assert encode_timestamp(instant) == theirs.SerializeToString()
    assert decode_timestamp(theirs.SerializeToString()) == instant


def test_a_timestamp_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        encode_timestamp(datetime(2020, 9, 20))


def test_two_features_that_hash_to_one_field_are_refused() -> None:
    # Found by search: these two names share their 32-bit hash.
    one, other = colliding_names()
    view = View("v", "article", "batch", 0, "", (Feature(one, Kind.INT64, ""), Feature(other, Kind.INT64, "")))
    with pytest.raises(ValueError, match=f"{one}.*{other}.*rename"):
        check_collisions([view])


def colliding_names() -> tuple[str, str]:
    seen: dict[bytes, str] = {}
    for number in range(1_000_000):
        other = seen.setdefault(feature_field.__wrapped__("v", f"f{number}"), f"f{number}")
        if other != f"f{number}":
            return other, f"f{number}"
    raise AssertionError("no collision among a million names")
