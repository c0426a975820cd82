"""Reads purchase files in the layout of Kaggle's H&M competition, validated, and writes them as Parquet tables.

DuckDB works on disk here and spills, so that the full 31.8 million purchases take less than 4 GB of memory.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from feature_repo.files.file_layouts import ARTICLES, CUSTOMERS, TRANSACTIONS
from feature_repo.files.staging import Staging, literal
from infra.base.errors import UserError
from infra.base.progress import track

SET_ASIDE = "--reject-file FILE (behind make: REJECT_FILE=FILE)"
_MEMORY_LIMIT = "2GB"

_ARTICLES = f"SELECT {', '.join(ARTICLES.columns)} FROM good_articles ORDER BY article_id"

_CUSTOMERS = """
    SELECT customer_id,
           CAST(FN AS DOUBLE) = 1 AS fashion_news,
           CAST(Active AS DOUBLE) = 1 AS active,
           club_member_status,
           CASE upper(fashion_news_frequency) WHEN 'NONE' THEN 'NONE' ELSE fashion_news_frequency END
               AS fashion_news_frequency,
           CAST(CAST(age AS DOUBLE) AS SMALLINT) AS age,
           postal_code
    FROM good_customers
    ORDER BY customer_id"""

# Purchases have a date without a time of day: their order in the file, in microseconds, tells those of a day apart.
_PURCHASES = """
    SELECT strftime(day, '%Y%m%d') || '-' || printf('%09d', file_row) AS event_id,
           make_timestamptz(epoch_us(day) + row_number() OVER (PARTITION BY day ORDER BY file_row)) AS occurred_at,
           day,
           customer_id,
           article_id,
           CAST(round(CAST(price AS DOUBLE) * 1e6) AS BIGINT) AS price_micros,
           CAST(sales_channel_id AS TINYINT) AS sales_channel_id
    FROM good_transactions_train
    WHERE day < {until}
    ORDER BY occurred_at"""


@dataclass(frozen=True)
class IngestedFiles:
    """What was read: rows by table, buyers, the first and last day of purchases, and rejected rows by file name.

    ``time_zone`` is the one whose days the purchases' instants were taken to; None where they had plain dates.
    """

    articles: int
    customers: int
    purchases: int
    buyers: int
    buyers_without_profile: int
    first_day: date
    last_day: date
    rejected: dict[str, int]
    time_zone: str | None

    def lines(self, reject_file: Path | None) -> list[str]:
        """What whoever gave the files should know, as sentences."""
        aside = [
            f"{name}: {count:,} bad {'row' if count == 1 else 'rows'} set aside in {reject_file}"
            for name, count in self.rejected.items()
        ]
        if self.time_zone is None:
            return aside
        return [*aside, f"purchases are dated with a time zone; their days are those of {self.time_zone} (--time-zone)"]


def ingest(
    data_dir: Path,
    tables_dir: Path,
    *,
    reject_file: Path | None = None,
    time_zone: str = "UTC",
    until: date | None = None,
    today: date | None = None,
) -> IngestedFiles:
    """Validate the three files and write ``articles``, ``customers`` and ``purchases.parquet``.

    Nothing is written unless all three files are good, and each table appears whole. A purchase's event id is its date
    and its row in the file (from 1, header not counted); its time is midnight UTC of its date plus its rank within the
    day, in file order from 1, in microseconds.

    Args:
        data_dir: holds ``articles.csv``, ``customers.csv`` and ``transactions_train.csv`` or ``.parquet``.
        tables_dir: where the tables go.
        reject_file: bad rows are written here as CSV and left out; without it the first one is an error.
        time_zone: whose days purchases with an instant belong to; those with a date are not touched.
        until: keep only purchases dated before this day.
        today: later purchases cannot be; None for the machine's date.

    Raises:
        UserError: names file, row, column, value and what was expected.
    """
    if not data_dir.is_dir():
        raise UserError(f"{data_dir} is not a folder; expected one that holds articles.csv and the other files")
    tables_dir.mkdir(parents=True, exist_ok=True)
    with _database(tables_dir) as (connection, scratch):
        staging = Staging(connection, scratch, time_zone, today)
        for layout in track((ARTICLES, CUSTOMERS, TRANSACTIONS), "read and check purchase files"):
            path = staging.stage(layout, data_dir)
            if reject_file is None:
                _refuse_bad_rows(connection, path)
        purchases = _PURCHASES.format(until=f"DATE '{until}'" if until else "DATE 'infinity'")
        tables = {"articles": _ARTICLES, "customers": _CUSTOMERS, "purchases": purchases}
        for table, query in track(tables.items(), "write tables", total=len(tables)):
            _write(connection, query, scratch / f"{table}.parquet")
        summary = _summary(connection, scratch, time_zone if staging.has_zoned_times else None)
        if not summary.articles or not summary.purchases:
            missing = f"purchase{f' before {until}' if until else ''}" if summary.articles else "article"
            raise UserError(f"{data_dir} holds no good {missing}; expected at least one row that passes the checks")
        if reject_file is not None:
            _write_rejects(connection, reject_file)
        for table in tables:
            os.replace(scratch / f"{table}.parquet", tables_dir / f"{table}.parquet")
        return summary


@contextmanager
def _database(tables_dir: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Path]]:
    with tempfile.TemporaryDirectory(prefix=".ingest-", dir=tables_dir) as folder:
        connection = duckdb.connect(str(Path(folder) / "staged.duckdb"))
        connection.execute(f"SET memory_limit = '{_MEMORY_LIMIT}'")
        connection.execute(f"SET temp_directory = {literal(Path(folder) / 'spill')}")
        try:
            yield connection, Path(folder)
        except duckdb.Error as error:
            raise UserError(
                f"the purchase files could not be worked through in {tables_dir}; is its disk full?"
            ) from error
        finally:
            connection.close()


def _refuse_bad_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    rows = connection.execute(
        'SELECT "row", "column", value, expected, line, count(*) OVER () FROM bad_rows WHERE file = ? '
        'ORDER BY "row" LIMIT 1',
        [path.name],
    ).fetchall()
    if not rows:
        return
    row, column, value, expected, line, count = rows[0]
    if column is None or (value is None and expected.endswith(("columns", "quote", "UTF-8"))):
        what = f"{path.name}, row {row} reads {line[:80]!r}"
    elif value is None:
        what = f"{path.name}, row {row}, column {column!r} is empty"
    else:
        what = f"{path.name}, row {row}, column {column!r} holds {value!r}"
    others = f" ({count - 1:,} more bad rows)" if count > 1 else ""
    raise UserError(f"{what}; expected {expected}{others}. Mend it, or set bad rows aside with {SET_ASIDE}")


def _write(connection: duckdb.DuckDBPyConnection, query: str, path: Path) -> None:
    connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet, COMPRESSION zstd)")


def _write_rejects(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        connection.execute(f'COPY (FROM bad_rows ORDER BY file, "row") TO {literal(path)} (HEADER)')
    except (OSError, duckdb.IOException) as error:
        raise UserError(
            f"the bad rows cannot be written to {path}; give a file in a folder that can be written"
        ) from error


def _summary(connection: duckdb.DuckDBPyConnection, folder: Path, time_zone: str | None) -> IngestedFiles:
    def one(query: str) -> tuple:
        row = connection.execute(query).fetchone()
        assert row is not None
        return row

    tables = {
        name: f"read_parquet({literal(folder / f'{name}.parquet')})" for name in ("articles", "customers", "purchases")
    }
    (articles,), (customers,) = (one(f"SELECT count(*) FROM {tables[name]}") for name in ("articles", "customers"))
    count, buyers, first_day, last_day = one(
        f"SELECT count(*), count(DISTINCT customer_id), min(day), max(day) FROM {tables['purchases']}"
    )
    (without_profile,) = one(
        f"SELECT count(DISTINCT customer_id) FROM {tables['purchases']} AS bought "
        f"ANTI JOIN {tables['customers']} USING (customer_id)"
    )
    rejected = dict(connection.execute("SELECT file, count(*) FROM bad_rows GROUP BY file ORDER BY file").fetchall())
    return IngestedFiles(articles, customers, count, buyers, without_profile, first_day, last_day, rejected, time_zone)
