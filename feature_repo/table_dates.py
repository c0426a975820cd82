"""From when to when the rows of an offline table are, read from the Parquet file's footer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

BEFORE_ALL_ROWS = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class TableDates:
    """Event times of a table's oldest and newest row; of a table without rows, ``BEFORE_ALL_ROWS``."""

    oldest: datetime = BEFORE_ALL_ROWS
    newest: datetime = BEFORE_ALL_ROWS

    @property
    def empty(self) -> bool:
        """There are no rows."""
        return self.newest == BEFORE_ALL_ROWS


def table_dates(path: str, timestamp_field: str) -> TableDates | None:
    """The dates of a Parquet file's rows, None where there is no such file that can be read."""
    if not Path(path).is_file():
        return None
    try:
        with pq.ParquetFile(path) as table:
            bounds = _from_footer(table, timestamp_field) or _from_column(table, timestamp_field)
    except pa.ArrowInvalid:
        return None
    return TableDates(*map(_utc, bounds)) if bounds else TableDates()


def _from_footer(table: pq.ParquetFile, name: str) -> tuple[datetime, datetime] | None:
    """Two numbers of each row group, instead of all its rows; None where its writer left them out."""
    groups = [table.metadata.row_group(group) for group in range(table.metadata.num_row_groups)]
    columns = [group.column(index) for group in groups for index in range(group.num_columns)]
    statistics = [column.statistics for column in columns if column.path_in_schema == name]
    if not statistics or any(known is None or not known.has_min_max for known in statistics):
        return None
    return min(known.min for known in statistics), max(known.max for known in statistics)


def _from_column(table: pq.ParquetFile, name: str) -> tuple[datetime, datetime] | None:
    bounds = pc.min_max(table.read([name]).column(0).cast(pa.timestamp("us", "UTC"))).as_py()
    return (bounds["min"], bounds["max"]) if bounds["min"] is not None else None


def _utc(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
