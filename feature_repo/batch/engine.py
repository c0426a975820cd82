"""The engine that runs the batch expressions: DuckDB here. Everything particular to it stands in this file.

On Spark, ``epoch_us`` is called ``unix_micros`` and ``newest_first`` is a sorted array of structs; the expressions
in the files of the views are the same.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import ibis
from ibis.backends.sql.datatypes import DuckDBType
from ibis.expr.types import ArrayValue, Column, IntegerColumn, Table

_MEMORY_LIMIT = "2GB"


@contextmanager
def duckdb_engine(spill_parent: Path) -> Iterator[ibis.BaseBackend]:
    """DuckDB that spills into ``spill_parent`` past 2 GB of memory; its days are UTC days."""
    with tempfile.TemporaryDirectory(prefix=".spill-", dir=spill_parent) as spill:
        engine = ibis.duckdb.connect(memory_limit=_MEMORY_LIMIT, temp_directory=spill)
        engine.raw_sql("SET TimeZone = 'UTC'")
        try:
            yield engine
        finally:
            engine.disconnect()


def write_parquet(engine: ibis.BaseBackend, parts: Sequence[Table], path: Path) -> int:
    """Compute parts of a table one after the other and write them as one file, appearing whole; returns its rows.

    Columns are written in the types they declare: DuckDB's sum of 64-bit integers has 128 bits, which Ibis does not
    know and Parquet would hold as a float.
    """
    with tempfile.TemporaryDirectory(prefix=".parts-", dir=path.parent) as folder:
        for number, part in enumerate(parts):
            columns = ", ".join(
                f'CAST("{name}" AS {DuckDBType.to_string(dtype)}) AS "{name}"' for name, dtype in part.schema().items()
            )
            _copy(engine, f"SELECT {columns} FROM ({engine.compile(part)})", Path(folder) / f"{number}.parquet")
        whole = Path(folder) / "0.parquet"
        if len(parts) > 1:
            whole = Path(folder) / "whole"
            _copy(engine, f"FROM read_parquet('{folder}/*.parquet')", whole)
        os.replace(whole, path)
    return int(engine.read_parquet(str(path)).count().execute())


def _copy(engine: ibis.BaseBackend, query: str, path: Path) -> None:
    engine.con.execute(f"COPY ({query}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


@ibis.udf.scalar.builtin(name="epoch_us")
def epoch_us(instant: datetime) -> int:  # type: ignore[empty-body]
    """Microseconds since 1970-01-01. (DuckDB's ``epoch``, Ibis' ``epoch_seconds``, is a float.)"""


def newest_first(values: Column, order: IntegerColumn) -> ArrayValue:
    """Aggregate ``values`` into a list, the ones with the greatest ``order`` in front."""
    return values.collect(order_by=ibis.desc(order))
