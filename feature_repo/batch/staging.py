"""Loads one purchase file into DuckDB as text, rows numbered as in the file, and sets the bad rows apart.

Everything is set-wise SQL: a file of 31.8 million rows is checked in one pass over a few columns.
"""

from __future__ import annotations

import codecs
import csv
from pathlib import Path

import duckdb

from feature_repo.batch.file_layouts import TRANSACTIONS, Layout
from infra.errors import UserError

_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Staging:
    """Staged purchase files in a DuckDB database.

    After ``stage(layout, folder)`` the view ``good_<name>`` holds the good rows as text with their ``file_row`` (from
    1, header not counted), and the table ``bad_rows`` (file, row, column, value, expected, line) the others.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        connection.execute(
            'CREATE TABLE bad_rows (file TEXT, "row" BIGINT, "column" TEXT, value TEXT, expected TEXT, line TEXT)'
        )

    def stage(self, layout: Layout, folder: Path) -> Path:
        """Load and check one file; returns its path.

        Raises:
            UserError: the file is missing, empty, no CSV or without one of its columns.
        """
        path = _find(layout, folder)
        if path.suffix == ".parquet":
            self._load_parquet(layout, path)
        else:
            self._load_csv(layout, path)
        self._set_bad_rows_apart(layout, path)
        return path

    def _load_csv(self, layout: Layout, path: Path) -> None:
        header = _csv_header(path)
        _require_columns(layout, path, header)
        columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in header)
        raw, rejects = f"raw_{layout.name}", f"rejects_{layout.name}"
        try:
            self._connection.execute(
                f"""CREATE TABLE {raw} AS SELECT * FROM read_csv({literal(path)}, columns = {{{columns}}},
                    header = true, auto_detect = false, delim = ',', quote = '"', escape = '"', store_rejects = true,
                    rejects_table = '{rejects}', rejects_scan = '{rejects}_scan')"""
            )
        except duckdb.Error as error:
            reason = str(error).splitlines()[0]
            raise UserError(f"{path.name} cannot be read as CSV ({reason}); check quotes and line ends") from error
        # Records that cannot be split into columns are missing from the table: the rows behind them move up, and
        # get their numbers back here. DuckDB counts records from 1, header included; one can have several faults.
        unreadable = f"unreadable_{layout.name}"
        self._connection.execute(
            f"""CREATE TABLE {unreadable} AS
                SELECT line - 1 AS file_row, row_number() OVER (ORDER BY line) AS rank, * FROM (
                    SELECT line, min(column_name) AS column_name, min(error_type) AS fault, min(csv_line) AS text
                    FROM {rejects} GROUP BY line)"""
        )
        self._connection.execute(
            f"""INSERT INTO bad_rows SELECT {literal(path.name)}, file_row, column_name, NULL,
                    CASE fault WHEN 'INVALID ENCODING' THEN 'text in UTF-8' WHEN 'UNQUOTED VALUE' THEN 'a closing quote'
                               ELSE '{len(header)} columns' END,
                    trim(text, chr(10) || chr(13)) FROM {unreadable}"""
        )
        moved_up = f"ASOF LEFT JOIN {unreadable} AS gap ON staged.rowid >= gap.file_row - gap.rank"
        self._connection.execute(
            f"CREATE VIEW staged_{layout.name} AS SELECT {_names(layout)}, "
            + (
                f"staged.rowid + 1 + coalesce(gap.rank, 0) AS file_row FROM {raw} AS staged {moved_up}"
                if self._count(unreadable)
                else f"rowid + 1 AS file_row FROM {raw}"
            )
        )

    def _load_parquet(self, layout: Layout, path: Path) -> None:
        try:
            described = self._connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(path)})").fetchall()
        except duckdb.Error as error:
            raise UserError(f"{path.name} cannot be read as Parquet: {str(error).splitlines()[0]}") from error
        types = {row[0]: row[1] for row in described}
        _require_columns(layout, path, list(types))
        for column in ("customer_id", "article_id"):
            if types[column] != "VARCHAR":
                raise UserError(
                    f"{path.name}, column {column!r} is of type {types[column]}; expected strings, "
                    "for zeros in front matter"
                )
        columns = ", ".join(
            f"CAST({f'CAST({name} AS DATE)' if types[name].startswith('TIMESTAMP') else name} AS VARCHAR) AS {name}"
            for name in layout.columns
        )
        self._connection.execute(
            f"""CREATE TABLE raw_{layout.name} AS SELECT {columns} FROM read_parquet({literal(path)});
                CREATE VIEW staged_{layout.name} AS SELECT *, rowid + 1 AS file_row FROM raw_{layout.name}"""
        )

    def _set_bad_rows_apart(self, layout: Layout, path: Path) -> None:
        """Make the view ``good_<name>``, and note for every other row the first rule it breaks."""
        broken = " ".join(
            f"WHEN NOT coalesce({rule.condition.format(rule.column)}, false) THEN {number}"
            for number, rule in enumerate(layout.rules)
        )
        repeated = f"faults_{layout.name}"
        repeats = len(layout.rules)
        key = layout.key
        second = f"row_number() OVER (PARTITION BY {key} ORDER BY file_row) > 1" if key else "false"
        self._connection.execute(
            f"""CREATE TABLE {repeated} AS
                SELECT * FROM (SELECT *, CASE {broken} WHEN {second} THEN {repeats} END AS fault
                               FROM staged_{layout.name})
                WHERE fault IS NOT NULL"""
        )
        columns = [rule.column for rule in layout.rules] + ([key] if key else [])
        expected = [rule.expected for rule in layout.rules] + (["no repeats; this id stands in an earlier row"])
        value = " ".join(f"WHEN {number} THEN {column}" for number, column in enumerate(columns))
        self._connection.execute(
            f"""INSERT INTO bad_rows SELECT {literal(path.name)}, file_row,
                    {_choose(columns)}, CASE fault {value} END, {_choose(expected)},
                    concat_ws(',', {", ".join(_csv_cell(name) for name in layout.columns)}) FROM {repeated}"""
        )
        without = f" ANTI JOIN {repeated} USING (file_row)" if self._count(repeated) else ""
        self._connection.execute(
            f"CREATE VIEW good_{layout.name} AS SELECT * FROM staged_{layout.name} AS staged{without}"
        )

    def _count(self, table: str) -> int:
        row = self._connection.execute(f"SELECT count(*) FROM {table}").fetchone()
        return int(row[0]) if row else 0


def _find(layout: Layout, folder: Path) -> Path:
    """The layout's file: CSV, or Parquet for the purchases."""
    names = [f"{layout.name}.csv"] + ([f"{layout.name}.parquet"] if layout is TRANSACTIONS else [])
    found = [folder / name for name in names if (folder / name).exists()]
    if len(found) > 1:
        raise UserError(f"{folder} holds both {' and '.join(names)}; keep the one that is to be read")
    if not found:
        raise UserError(f"{folder} has no {' or '.join(names)}; expected the files of Kaggle's H&M competition")
    if not found[0].stat().st_size:
        raise UserError(f"{found[0].name} is empty; expected a header and rows")
    return found[0]


def _csv_header(path: Path) -> list[str]:
    with path.open("rb") as file:
        line = file.readline()
    try:
        if line.startswith(_UTF16_MARKS):
            raise UnicodeError
        return next(csv.reader([line.decode("utf-8-sig")]))
    except UnicodeError:
        raise UserError(f"{path.name} is not UTF-8 text; save it as UTF-8 and try again") from None


def _require_columns(layout: Layout, path: Path, found: list[str]) -> None:
    missing = [name for name in layout.columns if name not in found]
    if missing:
        raise UserError(
            f"{path.name} has no column {', '.join(map(repr, missing))}; "
            f"expected {', '.join(layout.columns)}; found {', '.join(found)}"
        )
    if len(set(found)) < len(found):
        raise UserError(f"{path.name} has a column twice in its header: {', '.join(found)}")


def literal(value: object) -> str:
    """An SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def _names(layout: Layout) -> str:
    return ", ".join(layout.columns)


def _choose(texts: list[str]) -> str:
    return f"[{', '.join(map(literal, texts))}][fault + 1]"


def _csv_cell(column: str) -> str:
    """SQL that writes a column's text as one CSV cell."""
    quoted = f"""'"' || replace({column}, '"', '""') || '"'"""
    return f"""CASE WHEN {column} SIMILAR TO '.*[",\n].*' THEN {quoted} ELSE coalesce({column}, '') END"""
