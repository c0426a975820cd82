"""Offline tables of a few rows, whose values tell which row they are of, and the ``feast`` command on top of them."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result
from feast.cli.cli import cli

from feature_repo.schema import ENTITIES, VIEWS, Kind, View
from infra.base.settings import CHECKOUT, Settings

ID = "ann"

VALUES: dict[Kind, tuple[pa.DataType, Any]] = {
    Kind.STRING: (pa.string(), lambda row: f"value {row}"),
    Kind.INT64: (pa.int64(), lambda row: row),
    Kind.FLOAT64: (pa.float64(), float),
    Kind.BOOL: (pa.bool_(), lambda row: row % 2 == 0),
    Kind.STRINGS: (pa.list_(pa.string()), lambda row: [f"value {row}"]),
    Kind.INT64S: (pa.list_(pa.int64()), lambda row: [row]),
    Kind.FLOAT32S: (pa.list_(pa.float32()), lambda row: [float(row)]),
}


def write_rows(settings: Settings, view: View, rows: Iterable[tuple[str, str, int]]) -> None:
    """Replace a view's offline table by ``rows`` of entity id, day (UTC) and the number that all values tell."""
    rows = list(rows)
    instants = [datetime.fromisoformat(day).replace(tzinfo=UTC) for _, day, _ in rows]
    columns = {
        ENTITIES[view.entity][0]: pa.array([entity_id for entity_id, _, _ in rows], pa.string()),
        "event_timestamp": pa.array(instants, pa.timestamp("us", "UTC")),
    }
    for feature in view.features:
        kind, value = VALUES[feature.kind]
        columns[feature.name] = pa.array([value(number) for _, _, number in rows], kind)
    settings.offline_dir.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), settings.offline_dir / f"{view.name}.parquet")


def write_all(settings: Settings, day: str = "2020-09-20", number: int = 1) -> None:
    """One row in every view's table."""
    for view in VIEWS:
        write_rows(settings, view, [(ID, day, number)])


def feast(settings: Settings, *arguments: str) -> Result:
    """Run ``feast -c feature_repo`` on a deployment."""
    with pytest.MonkeyPatch.context() as patch:
        for variable, value in settings.to_environment().items():
            patch.setenv(variable, value)
        patch.delitem(sys.modules, "definitions", raising=False)  # Feast's import of it, which reads the environment
        before = os.getcwd()
        try:
            return CliRunner().invoke(cli, ["-c", str(CHECKOUT / "feature_repo"), *arguments])
        finally:
            os.chdir(before)
