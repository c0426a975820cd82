"""The offline tables hold, for every entity and day, what the definition says: correct in time, windows falling."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from feature_repo.batch.article_activity import article_activity
from feature_repo.batch.article_sales import article_sales
from feature_repo.batch.customer_activity import customer_activity
from feature_repo.batch.customer_history import customer_history
from feature_repo.batch.engine import duckdb_engine
from feature_repo.batch.offline_table import join_key, offline_table
from feature_repo.schema import ARTICLE_ACTIVITY_30D, ARTICLE_SALES, CUSTOMER_ACTIVITY_30D, CUSTOMER_HISTORY, View
from tests.feature_repo import brute_force
from tests.feature_repo.brute_force import Purchase

FIRST_DAY = 18_500
LAST_DAY = FIRST_DAY + 70
AS_OF = date(1970, 1, 1) + timedelta(days=LAST_DAY)
AGES = {f"{name}{shop}": age for name, age in (("ann", 20), ("bob", 45)) for shop in range(25)}

# Days close together and about a window apart, where mistakes would show.
days = st.sampled_from([FIRST_DAY + offset for offset in (0, 1, 2, 3, 6, 7, 8, 28, 29, 30, 31, 32, 59, 60, 69)])
small_shops = st.lists(
    st.tuples(
        days,
        st.sampled_from(["ann", "bob", "cleo"]),
        st.sampled_from("123"),
        st.integers(0, 60_000),
        st.sampled_from([1, 2]),
    ),
    max_size=30,
)


def side_by_side(shops: list[list[tuple]]) -> list[Purchase]:
    """Many small shops in one table: entities do not influence each other, and one query computes them all."""
    return [
        Purchase(day, number, f"{customer}{shop}", f"{article}{shop}", price_micros, channel)
        for shop, purchases in enumerate(shops)
        for number, (day, customer, article, price_micros, channel) in enumerate(purchases)
    ]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ibis.BaseBackend]:
    with duckdb_engine(tmp_path_factory.mktemp("spill")) as engine:
        yield engine


def as_table(purchases: list[Purchase]) -> ibis.Table:
    columns = {
        "event_id": pa.array([f"{p.day}-{p.number:09d}" for p in purchases], pa.string()),
        "occurred_at": pa.array([p.at for p in purchases], pa.int64()).cast(pa.timestamp("us", "UTC")),
        "day": pa.array([p.day for p in purchases], pa.int64()),
        "customer_id": pa.array([p.customer for p in purchases], pa.string()),
        "article_id": pa.array([p.article for p in purchases], pa.string()),
        "price_micros": pa.array([p.price_micros for p in purchases], pa.int64()),
        "sales_channel_id": pa.array([p.channel for p in purchases], pa.int8()),
    }
    return ibis.memtable(pa.table(columns))


def ages() -> ibis.Table:
    return ibis.memtable(pa.table({"customer_id": list(AGES), "age": pa.array(AGES.values(), pa.int16())}))


VIEWS: dict[View, tuple[Callable[..., ibis.Table], Callable[..., dict]]] = {
    CUSTOMER_ACTIVITY_30D: (customer_activity, brute_force.customer_activity),
    ARTICLE_ACTIVITY_30D: (article_activity, brute_force.article_activity),
    CUSTOMER_HISTORY: (customer_history, brute_force.customer_history),
    ARTICLE_SALES: (
        lambda purchases, start, until: article_sales(purchases, ages(), start, until),
        lambda purchases, stamp: brute_force.article_sales(purchases, stamp, AGES),
    ),
}


class Timeline:
    """A view's rows by entity; ``at`` finds the row that holds on a day, as a point-in-time join does."""

    def __init__(self, engine: ibis.BaseBackend, view: View, rows: ibis.Table) -> None:
        self.rows: dict[str, list[tuple[int, dict[str, Any]]]] = defaultdict(list)
        for row in engine.to_pyarrow(offline_table(rows, view)).to_pylist():
            entity = row.pop(join_key(view))
            stamp = row.pop("event_timestamp")
            assert stamp.time() == datetime.min.time()
            self.rows[entity].append((int(stamp.timestamp() // 86_400), row))
        for history in self.rows.values():
            history.sort(key=lambda entry: entry[0])
            assert len({stamp for stamp, _ in history}) == len(history), "two rows of one entity and day"

    def at(self, entity: str, day: int) -> dict[str, Any] | None:
        history = self.rows.get(entity, [])
        position = bisect_right(history, day, key=lambda entry: entry[0])
        return history[position - 1][1] if position else None


@pytest.mark.parametrize("view", VIEWS, ids=lambda view: view.name)
@settings(max_examples=2, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
@given(
    shops=st.lists(small_shops, min_size=25, max_size=25), start=st.sampled_from([None, FIRST_DAY + 8, FIRST_DAY + 31])
)
def test_every_row_is_what_was_known_at_the_start_of_its_day(
    engine: ibis.BaseBackend, view: View, shops: list[list[tuple]], start: int | None
) -> None:
    purchases = side_by_side(shops)
    compute, expect = VIEWS[view]
    snapshots_from = date(1970, 1, 1) + timedelta(days=start) if start else None
    timeline = Timeline(engine, view, compute(as_table(purchases), snapshots_from, AS_OF))
    by_entity = defaultdict(list)
    for purchase in purchases:
        by_entity[purchase.customer if view.entity == "customer" else purchase.article].append(purchase)
    assert set(timeline.rows) <= set(by_entity)
    for entity, own in by_entity.items():
        assert max(stamp for stamp, _ in timeline.rows[entity]) <= LAST_DAY
        for day in range(start or FIRST_DAY, LAST_DAY + 1):
            known = any(purchase.day < day for purchase in own)
            row = timeline.at(entity, day)
            assert known or row is None
            if row is None and known:  # only where its row of zeros is older than the view's time to live
                assert start
                assert view.ttl_days
                assert expect(own, day - view.ttl_days)[view.features[0].name] == 0
            elif row is not None:
                assert_same(row, expect(own, day))


def assert_same(row: dict[str, Any], expected: dict[str, Any]) -> None:
    """Equal, floats up to rounding."""
    assert list(row) == list(expected)
    for name, value in expected.items():
        pairs = zip(row[name], value, strict=True) if isinstance(value, list) else [(row[name], value)]
        for found, wanted in pairs:
            close = isinstance(wanted, float) and found is not None and math.isclose(found, wanted, rel_tol=1e-6)
            assert close or found == wanted, f"{name} is {row[name]}; expected {value}"


def test_lists_keep_the_newest(engine: ibis.BaseBackend) -> None:
    purchases = [Purchase(FIRST_DAY + n // 40, n, "ann", f"{n % 110:010d}", 1, 1) for n in range(160)]
    day, lengths = FIRST_DAY + 4, {}
    for view in (CUSTOMER_ACTIVITY_30D, CUSTOMER_HISTORY):
        compute, expect = VIEWS[view]
        row = Timeline(engine, view, compute(as_table(purchases), None, AS_OF)).at("ann", day)
        assert row is not None
        assert_same(row, expect(purchases, day))
        lengths[view.name] = len(row["articles"])
    assert lengths[CUSTOMER_HISTORY.name] == 100


def test_windows_fall_to_zero_without_new_purchases(engine: ibis.BaseBackend) -> None:
    rows = customer_activity(as_table([Purchase(FIRST_DAY, 0, "ann", "0000000001", 5, 2)]), None, AS_OF)
    timeline = Timeline(engine, CUSTOMER_ACTIVITY_30D, rows)
    assert [(stamp - FIRST_DAY, row["purchases"]) for stamp, row in timeline.rows["ann"]] == [(1, 1), (30, 0)]
    last = timeline.at("ann", FIRST_DAY + 30)
    assert last is not None
    assert (last["articles"], last["mean_price_micros"], last["last_purchase_at"]) == ([], None, None)
