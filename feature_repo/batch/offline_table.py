"""The shape of an offline table: join key, ``event_timestamp`` and the view's features in their order and types."""

from __future__ import annotations

import ibis
from ibis.expr.types import Table

from feature_repo.files.purchase_dates import BEGINNING
from feature_repo.schema import ENTITIES, Kind, View
from infra.base.calendar import DAY_SECONDS, epoch_day

ALWAYS = epoch_day(BEGINNING)
"""Stamp of values that hold at all times."""

IBIS_TYPES = {
    Kind.STRING: "string",
    Kind.INT64: "int64",
    Kind.FLOAT64: "float64",
    Kind.BOOL: "boolean",
    Kind.STRINGS: "array<string>",
    Kind.INT64S: "array<int64>",
    Kind.FLOAT32S: "array<float32>",
}


def offline_table(rows: Table, view: View) -> Table:
    """Give rows stamped with an epoch day the form that Feast reads; other columns are dropped."""
    features = {feature.name: rows[feature.name].cast(IBIS_TYPES[feature.kind]) for feature in view.features}
    instant = (rows["stamp"] * DAY_SECONDS).cast("int64").as_timestamp("s").cast("timestamp('UTC', 6)")
    return rows.select(join_key(view), event_timestamp=instant, **features)


def empty_rows(view: View, entities: Table) -> Table:
    """No rows of this view; ``entities`` is any table that has its join key."""
    missing = {feature.name: ibis.null(IBIS_TYPES[feature.kind]) for feature in view.features}
    return entities.limit(0).select(join_key(view), stamp=ALWAYS, **missing)


def join_key(view: View) -> str:
    """The column that names a row's customer or article."""
    return ENTITIES[view.entity][0]
