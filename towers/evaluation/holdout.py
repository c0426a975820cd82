"""A purchase file that training never saw, in the layout of Kaggle's H&M purchases, CSV or Parquet."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from feature_repo.files.file_layouts import TRANSACTIONS
from feature_repo.files.staging import Staging, literal
from infra.base.errors import UserError

_UNKNOWN_ARTICLE = "the id of a row of the articles file"


@dataclass(frozen=True)
class Holdout:
    """What was bought, by customer: distinct articles."""

    first_day: date
    last_day: date
    of_first_day: Mapping[str, list[str]]
    of_all_days: Mapping[str, list[str]]
    purchases: int  # of known articles
    unknown_articles: int  # rows left out, because the catalogue does not hold the article
    unknown_customers: int  # customers without any purchase before


def read_holdout(path: Path, tables_dir: Path, after: date) -> Holdout:
    """Read and check a purchase file.

    Args:
        path: ``.csv`` or ``.parquet`` with the columns t_dat, customer_id, article_id, price, sales_channel_id.
        tables_dir: what ``vitrine ingest`` wrote: its articles and customers are the known ones.
        after: what is measured was trained on purchases before this day.

    Raises:
        UserError: a row is bad, the file is not later than the training data, or nothing in it is of a known article.
    """
    if path.suffix not in (".csv", ".parquet"):
        raise UserError(f"{path} is neither .csv nor .parquet; give a purchase file in one of these formats")
    tables = {name: f"read_parquet({literal(tables_dir / f'{name}.parquet')})" for name in ("articles", "purchases")}
    with tempfile.TemporaryDirectory() as folder, duckdb.connect() as connection:
        # Staging knows files by the names of their layout.
        (Path(folder) / f"{TRANSACTIONS.name}{path.suffix}").symlink_to(path.absolute())
        connection.execute(f"CREATE TABLE good_articles AS SELECT article_id FROM {tables['articles']}")
        Staging(connection, Path(folder)).stage(TRANSACTIONS, Path(folder))
        _refuse_bad_rows(connection, path)
        unknown = _one(connection, "SELECT count(*) FROM bad_rows")
        good = f"(SELECT day, customer_id, article_id FROM good_{TRANSACTIONS.name})"
        purchases = _one(connection, f"SELECT count(*) FROM {good}")
        if not purchases:
            raise UserError(f"{path} holds no purchase of an article that has been ingested; is it of another shop?")
        first, last = _one(connection, f"SELECT min(day) FROM {good}"), _one(connection, f"SELECT max(day) FROM {good}")
        if first < after:
            raise UserError(
                f"{path} begins on {first}, but the release was trained on purchases before {after}; "
                f"give a file whose first t_dat is {after} or later, or measure an older release"
            )

        def bought(where: str) -> dict[str, list[str]]:
            return dict(
                connection.execute(
                    f"SELECT customer_id, list(DISTINCT article_id ORDER BY article_id) FROM {good} WHERE {where} "
                    "GROUP BY customer_id ORDER BY customer_id"
                ).fetchall()
            )

        strangers = _one(
            connection,
            f"SELECT count(DISTINCT customer_id) FROM {good} ANTI JOIN "
            f"(SELECT customer_id FROM {tables['purchases']} WHERE day < DATE '{first}') USING (customer_id)",
        )
        return Holdout(first, last, bought(f"day = DATE '{first}'"), bought("true"), purchases, unknown, strangers)


def _refuse_bad_rows(connection: duckdb.DuckDBPyConnection, path: Path) -> None:
    rows = connection.execute(
        'SELECT "row", "column", value, expected FROM bad_rows WHERE expected <> ? ORDER BY "row" LIMIT 1',
        [_UNKNOWN_ARTICLE],
    ).fetchall()
    if rows:
        row, column, value, expected = rows[0]
        raise UserError(f"{path.name}, row {row}, column {column!r} holds {value!r}; expected {expected}")


def _one(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row[0]
