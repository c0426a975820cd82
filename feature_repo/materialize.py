"""Loads the online store from the offline tables: what ``feast materialize`` does, at a multiple of its speed."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
from redis.exceptions import RedisError

from feature_repo.batch.as_of import refuse_future
from feature_repo.batch.offline_table import join_key
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.writer import ROWS_PER_BATCH, OnlineWriter
from feature_repo.schema import PROJECT, VIEWS, View
from feature_repo.store import open_store
from feature_repo.table_dates import BEFORE_ALL_ROWS, table_dates
from infra.base.errors import UserError
from infra.base.progress import progress_bar
from infra.base.redis_url import RedisUrl
from infra.base.settings import Settings

_MEMORY_LIMIT = "1GB"


@dataclass(frozen=True)
class Materialized:
    """One view's load: entities and the seconds it took."""

    view: str
    rows: int
    seconds: float


def materialize(settings: Settings, as_of: date, views: Sequence[View] = VIEWS) -> list[Materialized]:
    """Write every entity's latest row at or before the start of ``as_of``, view by view, and tell Feast's registry.

    Values with a newer event time stay, so a stream worker may run meanwhile.

    Raises:
        UserError: an offline table is missing or begins later, ``as_of`` is still to come, or Redis does not answer.
    """
    refuse_future(as_of)
    end = datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC)
    paths = {view: settings.offline_dir / f"{view.name}.parquet" for view in views}
    for path in paths.values():
        if not path.exists():
            raise UserError(f"{path} is missing; run `vitrine features --as-of {as_of}` first")
        dates = table_dates(str(path), "event_timestamp")
        if dates is not None and not dates.empty and dates.oldest > end:
            raise UserError(f"{path} holds nothing before --as-of {as_of}; give {dates.oldest:%Y-%m-%d} or a later day")
    store = open_store(settings)
    loads = []
    try:
        with closing(open_pipe(settings.redis_url)) as pipe:
            writer = OnlineWriter(pipe)
            for view, path in paths.items():
                started = time.perf_counter()
                rows = _load(writer, view, path, end)
                loads.append(Materialized(view.name, rows, time.perf_counter() - started))
                feature_view = store.registry.get_any_feature_view(view.name, PROJECT)
                store.registry.apply_materialization(feature_view, PROJECT, BEFORE_ALL_ROWS, end)
    except RedisError as error:
        raise UserError(
            f"Redis at {RedisUrl.parse(settings.redis_url)} does not answer ({error}); start it with `vitrine stack` "
            "or set VITRINE_REDIS_URL, and load again"
        ) from error
    return loads


def _load(writer: OnlineWriter, view: View, path: Path, end: datetime) -> int:
    with _latest_rows(view, path, end) as (total, batches), progress_bar(f"load {view.name}", total) as advance:
        for count in writer.write(view, batches):
            advance(count)
        return total


@contextmanager
def _latest_rows(view: View, path: Path, end: datetime) -> Iterator[tuple[int, pa.RecordBatchReader]]:
    """How many entities there are, and their latest rows in batches."""
    key = join_key(view)
    with tempfile.TemporaryDirectory(prefix=".materialize-", dir=path.parent) as spill, duckdb.connect() as connection:
        connection.execute(
            f"SET memory_limit = '{_MEMORY_LIMIT}'; SET temp_directory = '{spill}'; SET TimeZone = 'UTC'"
        )
        connection.execute(
            f"""CREATE TEMP TABLE latest AS SELECT {key}, max(event_timestamp) AS event_timestamp
                FROM read_parquet($path) WHERE event_timestamp <= $end GROUP BY {key}""",
            {"path": str(path), "end": end},
        )
        ((total,),) = connection.execute("SELECT count(*) FROM latest").fetchall()
        rows = connection.sql(
            f"SELECT * FROM read_parquet($path) SEMI JOIN latest USING ({key}, event_timestamp)",
            params={"path": str(path)},
        )
        yield total, rows.to_arrow_reader(ROWS_PER_BATCH)
