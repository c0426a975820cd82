"""Compares every window in the online store with what the batch expressions give for the same clock."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import ibis
import pyarrow as pa
import redis

from feature_repo.batch.article_activity import article_activity
from feature_repo.batch.customer_activity import customer_activity
from feature_repo.events.purchase import Purchase
from streaming.log.event_log import PURCHASE_COLUMNS
from tests.streaming.worlds import many_stored_features

EPOCH = date(1970, 1, 1)
BATCH: dict[str, Callable[[ibis.Table, date | None, date], ibis.Table]] = {
    "customer": customer_activity,
    "article": article_activity,
}


def compare(
    engine: ibis.BaseBackend, table: ibis.Table, client: redis.Redis, clock_day: int
) -> tuple[int, dict[str, Any]]:
    """How many entities were compared at the start of ``clock_day``, and (stored, expected) of those that differ."""
    compared, differences = 0, {}
    for entity, expression in BATCH.items():
        key = f"{entity}_id"
        rows = expression(table, None, EPOCH + timedelta(days=clock_day))
        newest: dict[str, dict[str, Any]] = {}
        for row in engine.to_pyarrow(rows).to_pylist():
            if row["stamp"] <= clock_day and row["stamp"] >= newest.get(row[key], row)["stamp"]:
                newest[row[key]] = row
        found = many_stored_features(client, entity, list(newest))
        for entity_id, row in newest.items():
            expected = {name: value for name, value in row.items() if name not in (key, "stamp")}
            is_empty = not (expected.get("purchases") or expected.get("units"))
            if found[entity_id] != expected and (found[entity_id] or not is_empty):
                differences[entity_id] = (found[entity_id], expected)
            compared += 1
    return compared, differences


def as_table(purchases: list[Purchase]) -> ibis.Table:
    """Purchases as batch reads them."""
    columns = zip(
        *[
            (p.event_id, p.occurred_at_us, p.day, p.customer_id, p.article_id, p.price_micros, p.sales_channel_id)
            for p in purchases
        ],
        strict=True,
    )
    arrays = [pa.array(values, type=field.type) for field, values in zip(PURCHASE_COLUMNS, columns, strict=True)]
    table = ibis.memtable(pa.table(arrays, schema=PURCHASE_COLUMNS))
    return table.mutate(day=(table.occurred_at.epoch_seconds() // 86_400).cast("int64"))
