"""CONTRIBUTING's recipe for a 30-day feature, followed: it goes online with the others, and batch == stream holds."""

from __future__ import annotations

import random
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import Any

import ibis
import pytest

from feature_repo.batch.customer_activity import customer_activity
from feature_repo.batch.engine import duckdb_engine
from feature_repo.events.purchase import Purchase
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.format import decode_value
from feature_repo.online.keys import entity_key, feature_field
from streaming.store.window_store import WindowStore
from streaming.windows.tiles import CUSTOMER_TILES
from streaming.windows.updates import WindowUpdates
from tests.conftest import OnlineStore
from tests.streaming.windows.batch_comparison import EPOCH, as_table
from tests.streaming.windows.online_spend import FEATURE, VIEW, WINDOW, online_spend
from tests.streaming.worlds import DAY, purchase

ALL_BY_COLUMNS, ALL_ONE_BY_ONE = 0, 10**9
CUSTOMERS = [f"customer {number}" for number in range(60)]


def a_month_and_more() -> list[Purchase]:
    rng = random.Random(7)
    return [
        purchase(
            rng.choice(CUSTOMERS), f"{rng.randrange(20)}", DAY - rng.choice((0, 1, 2, 3, 27, 28, 29)), at_us=offset,
            price_micros=rng.randrange(60_000), channel=rng.choice((1, 2)), offset=offset,
        )
        for offset in range(400)
    ]  # fmt: skip


def streamed(store: OnlineStore, customer_id: str) -> dict[str, Any]:
    names = [feature.name for feature in VIEW.features]
    raw = store.client.hmget(entity_key(VIEW.entity, customer_id), [feature_field(VIEW.name, name) for name in names])
    return {name: decode_value(data) if data else None for name, data in zip(names, raw, strict=True)}


def batch(engine: ibis.BaseBackend, purchases: ibis.Table, clock_day: int) -> dict[str, dict[str, Any]]:
    """By customer the newest row that batch has at the start of a day, the view's own columns and the new one."""
    until = EPOCH + timedelta(days=clock_day)
    newest: dict[str, dict[str, Any]] = {}
    for table in (customer_activity(purchases, None, until), online_spend(purchases)):
        for row in sorted(engine.to_pyarrow(table).to_pylist(), key=itemgetter("stamp")):
            if row["stamp"] <= clock_day:
                newest.setdefault(row["customer_id"], {}).update(row)
    return {
        customer_id: {name: value for name, value in row.items() if name not in ("customer_id", "stamp")}
        for customer_id, row in newest.items()
    }


@pytest.mark.parametrize("columns_from", [ALL_BY_COLUMNS, ALL_ONE_BY_ONE])
def test_the_new_feature_is_the_same_by_batch_and_stream_and_changes_no_other(
    store: OnlineStore, columns_from: int, tmp_path: Path
) -> None:
    purchases = a_month_and_more()
    by_customer = {customer: [p for p in purchases if p.customer_id == customer] for customer in CUSTOMERS}
    updates = WindowUpdates(WindowStore(open_pipe(store.url), WINDOW, CUSTOMER_TILES), columns_from=columns_from)
    assert updates.apply({c: bought for c, bought in by_customer.items() if bought}, DAY, DAY).commit().counted == 400
    with duckdb_engine(tmp_path) as engine:
        for clock_day in (DAY + 1, DAY + 4, DAY + 30):
            updates.advance(CUSTOMERS, clock_day)
            expected = batch(engine, as_table(purchases), clock_day)
            assert len(expected) > 50
            assert any(row[FEATURE.name] for row in expected.values()) == (clock_day < DAY + 30)
            assert {customer_id: streamed(store, customer_id) for customer_id in expected} == expected
