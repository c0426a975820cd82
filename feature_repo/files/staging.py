"""Loads one purchase file into DuckDB as text, rows numbered as in the file, and sets the bad rows apart.

Everything is set-wise SQL: a file of 31.8 million rows is checked in one pass over a few columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import duckdb

from feature_repo.files.csv_file import open_csv
from feature_repo.files.file_layouts import TRANSACTIONS, ZONED, Layout, Rule
from feature_repo.files.purchase_dates import believed_days, possible_days
from infra.base.clock import wall_clock
from infra.base.errors import UserError


class Staging:
    """Staged purchase files in a DuckDB database.

    After ``stage(layout, folder)`` the view ``good_<name>`` holds the good rows as text with their ``file_row`` (from
    1, header not counted), and the table ``bad_rows`` (file, row, column, value, expected, line) the others. Purchases
    have a column ``day`` as well.

    Attributes:
        has_zoned_times: whether purchases were dated by instants with a time zone.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        scratch: Path,
        time_zone: str = "UTC",
        today: date | None = None,
    ) -> None:
        """Stage into a database.

        Args:
            scratch: a folder for copies of files; its owner removes it.
            time_zone: whose days instants with a time zone belong to, such as ``Europe/Stockholm``.
            today: no purchase is of a later day than the one after it; None for the machine's date.

        Raises:
            UserError: there is no such time zone.
        """
        self._connection = connection
        self._scratch = scratch
        self._today = today or wall_clock().date()
        self.has_zoned_times = False
        try:
            connection.execute(f"SET TimeZone = {literal(time_zone)}")
        except duckdb.Error:
            raise UserError(f"there is no time zone {time_zone!r}; give UTC or one such as Europe/Stockholm") from None
        connection.execute(
            'CREATE TABLE bad_rows (file TEXT, "row" BIGINT, "column" TEXT, value TEXT, expected TEXT, line TEXT)'
        )

    def stage(self, layout: Layout, folder: Path) -> Path:
        """Load and check one file; returns its path.

        Raises:
            UserError: the file is missing, empty, neither CSV nor Parquet, or without one of its columns.
        """
        path = _find(layout, folder)
        rules = layout.rules
        if path.suffix == ".parquet":
            self._load_parquet(layout, path)
        else:
            self._load_csv(layout, path)
        if layout is TRANSACTIONS:
            rules = (rules[0], *self._rules_of_days(layout, path), *rules[1:])
        self._set_bad_rows_apart(layout, rules, path)
        return path

    def _load_csv(self, layout: Layout, path: Path) -> None:
        file = open_csv(path, layout.columns, self._scratch)
        columns = ", ".join(
            f"{literal(name or f'unread {place}')}: 'VARCHAR'" for place, name in enumerate(file.columns)
        )
        raw, rejects = f"raw_{layout.name}", f"rejects_{layout.name}"
        try:
            self._connection.execute(
                f"""CREATE TABLE {raw} AS SELECT {", ".join([*layout.columns, *_derived(layout)])}
                    FROM read_csv({literal(file.path)},
                    columns = {{{columns}}}, header = true, auto_detect = false, delim = {literal(file.delimiter)},
                    quote = '"', escape = '"', store_rejects = true,
                    rejects_table = '{rejects}', rejects_scan = '{rejects}_scan')"""
            )
        except duckdb.Error as error:
            raise UserError(
                f"{path.name} cannot be split into rows of {len(file.columns)} columns; check its quotes"
            ) from error
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
                               ELSE '{len(file.columns)} columns' END,
                    trim(text, chr(10) || chr(13)) FROM {unreadable}"""
        )
        moved_up = f"ASOF LEFT JOIN {unreadable} AS gap ON staged.rowid >= gap.file_row - gap.rank"
        columns = ", ".join([*layout.columns, *(name for name, _ in layout.derived)])
        self._connection.execute(
            f"CREATE VIEW staged_{layout.name} AS SELECT {columns}, "
            + (
                f"staged.rowid + 1 + coalesce(gap.rank, 0) AS file_row FROM {raw} AS staged {moved_up}"
                if self._count(unreadable)
                else f"rowid + 1 AS file_row FROM {raw}"
            )
        )

    def _load_parquet(self, layout: Layout, path: Path) -> None:
        damaged = f"{path.name} is damaged or no Parquet file; write it again"
        try:
            described = self._connection.execute(f"DESCRIBE SELECT * FROM read_parquet({literal(path)})").fetchall()
        except duckdb.Error as error:
            raise UserError(damaged) from error
        types = {row[0]: row[1] for row in described}
        missing = [name for name in layout.columns if name not in types]
        if missing:
            raise UserError(
                f"{path.name} has no column {', '.join(map(repr, missing))}; "
                f"expected {', '.join(layout.columns)}; found {', '.join(types)}"
            )
        for column in ("customer_id", "article_id"):
            if types[column] != "VARCHAR":
                raise UserError(
                    f"{path.name}, column {column!r} is of type {types[column]}; expected strings, "
                    "for zeros in front matter"
                )
        self.has_zoned_times |= types["t_dat"] == "TIMESTAMP WITH TIME ZONE"
        columns = ", ".join(
            f"CAST({f'CAST({name} AS DATE)' if types[name].startswith('TIMESTAMP') else name} AS VARCHAR) AS {name}"
            for name in layout.columns
        )
        try:
            self._connection.execute(
                f"""CREATE TABLE raw_{layout.name} AS SELECT {", ".join(["*", *_derived(layout)])}
                    FROM (SELECT {columns} FROM read_parquet({literal(path)}));
                    CREATE VIEW staged_{layout.name} AS SELECT *, rowid + 1 AS file_row FROM raw_{layout.name}"""
            )
        except duckdb.Error as error:
            raise UserError(damaged) from error

    def _rules_of_days(self, layout: Layout, path: Path) -> list[Rule]:
        """Which days are believed, from the machine's clock and from all purchases of the file."""
        possible = possible_days(self._today)
        rules = [
            Rule(
                "t_dat",
                f"day BETWEEN DATE '{possible.first}' AND DATE '{possible.last}'",
                f"a day from {possible.first} to {possible.last}, tomorrow",
            )
        ]
        sold = self._connection.execute(
            f"""SELECT day, count(*), coalesce(bool_or({ZONED}), false) FROM staged_{layout.name}
                WHERE day BETWEEN DATE '{possible.first}' AND DATE '{possible.last}' GROUP BY day ORDER BY day"""
        ).fetchall()
        if not sold:
            return rules
        self.has_zoned_times |= any(zoned for _, _, zoned in sold)
        believed = believed_days([(day, count) for day, count, _ in sold], self._customers)
        rules.append(
            Rule(
                "t_dat",
                f"day BETWEEN DATE '{believed.first}' AND DATE '{believed.last}'",
                f"a day near the other purchases, which are from {believed.first} to {believed.last}",
            )
        )
        return rules

    def _customers(self, first: date, last: date) -> int:
        row = self._connection.execute(
            f"SELECT count(DISTINCT customer_id) FROM staged_{TRANSACTIONS.name} WHERE day BETWEEN $1 AND $2",
            [first, last],
        ).fetchone()
        return int(row[0]) if row else 0

    def _set_bad_rows_apart(self, layout: Layout, rules: Sequence[Rule], path: Path) -> None:
        """Make the view ``good_<name>``, and note for every other row the first rule it breaks."""
        broken = " ".join(
            f"WHEN NOT coalesce({rule.condition.format(rule.column)}, false) THEN {number}"
            for number, rule in enumerate(rules)
        )
        repeated = f"faults_{layout.name}"
        repeats = len(rules)
        key = layout.key
        second = f"row_number() OVER (PARTITION BY {key} ORDER BY file_row) > 1" if key else "false"
        self._connection.execute(
            f"""CREATE TABLE {repeated} AS
                SELECT * FROM (SELECT *, CASE {broken} WHEN {second} THEN {repeats} END AS fault
                               FROM staged_{layout.name})
                WHERE fault IS NOT NULL"""
        )
        columns = [rule.column for rule in rules] + ([key] if key else [])
        expected = [rule.expected for rule in rules] + (["no repeats; this id stands in an earlier row"])
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
    """The layout's file: CSV, packed CSV, or Parquet for the purchases. A packed file beside its content is left."""
    names = [f"{layout.name}.csv"] + ([f"{layout.name}.parquet"] if layout is TRANSACTIONS else [])
    found = [folder / name for name in names if (folder / name).exists()]
    if len(found) > 1:
        raise UserError(f"{folder} holds both {' and '.join(names)}; keep the one that is to be read")
    if not found:
        packed = [folder / f"{layout.name}{suffix}" for suffix in (".csv.gz", ".csv.zip", ".zip")]
        found = [path for path in packed if path.exists()]
    if not found:
        raise UserError(f"{folder} has no {' or '.join(names)}; expected the files of Kaggle's H&M competition")
    if found[0].is_dir():
        raise UserError(f"{found[0]} is a folder; expected a file, so put its content into one")
    if not found[0].stat().st_size:
        raise UserError(f"{found[0].name} is empty; expected a header and rows")
    return found[0]


def literal(value: object) -> str:
    """An SQL string."""
    return "'" + str(value).replace("'", "''") + "'"


def _derived(layout: Layout) -> list[str]:
    return [f"{sql} AS {name}" for name, sql in layout.derived]


def _choose(texts: list[str]) -> str:
    return f"[{', '.join(map(literal, texts))}][fault + 1]"


def _csv_cell(column: str) -> str:
    """SQL that writes a column's text as one CSV cell."""
    quoted = f"""'"' || replace({column}, '"', '""') || '"'"""
    return f"""CASE WHEN {column} SIMILAR TO '.*[",\n].*' THEN {quoted} ELSE coalesce({column}, '') END"""
