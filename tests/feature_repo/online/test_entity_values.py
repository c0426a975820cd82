"""One HMGET reply becomes the features of one entity; values that outlived their view are gone."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from feature_repo.online.entity_values import fields_of, parse
from feature_repo.online.format import encode_timestamp, encode_value
from feature_repo.online.keys import feature_field, timestamp_field
from feature_repo.online.numeric_columns import numeric_columns, numeric_view
from feature_repo.schema import ARTICLE_ACTIVITY_30D, ARTICLE_AVAILABILITY, ARTICLE_SALES, Kind

NOW = datetime(2020, 9, 20, tzinfo=UTC)
VIEWS = (ARTICLE_SALES, ARTICLE_ACTIVITY_30D, ARTICLE_AVAILABILITY)


def reply(stored: dict[bytes, bytes]) -> list[bytes | None]:
    return [stored.get(field) for field in fields_of(VIEWS)]


def test_present_missing_and_absent_values() -> None:
    stored = {
        feature_field("article_sales", "units"): encode_value(Kind.INT64, 3),
        feature_field("article_sales", "price_std_micros"): b"",
        timestamp_field("article_sales"): encode_timestamp(NOW - timedelta(days=400)),
        b"extra": b"the worker's own",
    }
    article = parse("0108775015", VIEWS, reply(stored), NOW)
    assert article.entity_id == "0108775015"
    assert article.get("article_sales", "units") == 3
    assert article.values["article_sales:price_std_micros"] is None
    assert article.values["article_sales:repeat_rate"] is None
    assert article.event_times == {"article_sales": NOW - timedelta(days=400)}
    assert "article_activity_30d:units" not in article.values
    assert article.get("article_availability", "in_stock", True) is True


@pytest.mark.parametrize(("age", "present"), [(timedelta(days=30), True), (timedelta(days=30, microseconds=1), False)])
def test_a_view_is_absent_once_older_than_its_time_to_live(age: timedelta, present: bool) -> None:
    stored = {
        feature_field("article_activity_30d", "units"): encode_value(Kind.INT64, 3),
        timestamp_field("article_activity_30d"): encode_timestamp(NOW - age),
    }
    article = parse("0108775015", VIEWS, reply(stored), NOW)
    assert ("article_activity_30d:units" in article.values) == present
    assert ("article_activity_30d" in article.event_times) == present
    row = [stored.get(field) for field in fields_of([ARTICLE_ACTIVITY_30D])]
    assert np.isnan(numeric_view(ARTICLE_ACTIVITY_30D, [row], NOW)[0, 0]) != present


def test_a_reply_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 values for"):
        parse("0108775015", VIEWS, [None, None], NOW)


def test_bulk_decoding_gives_the_values_of_single_decoding() -> None:
    rng = np.random.default_rng(7)
    kinds = [Kind.INT64, Kind.FLOAT64, Kind.BOOL]
    table: list[list[Any]] = [
        [int(rng.integers(-(2**62), 2**62)) >> int(rng.integers(0, 62)), float(rng.normal()), bool(rng.integers(2))]
        for _ in range(200)
    ]
    table[17] = [None, None, None]
    raw: list[list[bytes | None]] = [
        [encode_value(kind, value) for kind, value in zip(kinds, row, strict=True)] for row in table
    ]
    raw[18] = [None, b"", None]
    table[18] = [None, None, None]
    expected = np.array(table, dtype=np.float32)
    np.testing.assert_array_equal(numeric_columns(raw, kinds), expected)
    assert numeric_columns([], kinds).shape == (0, 3)


def test_bulk_decoding_refuses_another_kind() -> None:
    with pytest.raises(ValueError, match="row 1, column 0"):
        numeric_columns([[encode_value(Kind.INT64, 1)], [encode_value(Kind.FLOAT64, 1.0)]], [Kind.INT64])
    with pytest.raises(ValueError, match="not numeric"):
        numeric_columns([[b""]], [Kind.STRING])


def test_reading_needs_none_of_the_heavy_libraries() -> None:
    program = """
import sys
import feature_repo.online.entity_values, feature_repo.online.numeric_columns
print([name for name in ("feast", "pandas", "pyarrow", "duckdb") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
