"""A later purchase file is read as it is, and a file that is not later is refused."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import duckdb
import pytest

from infra.base.errors import UserError
from towers.evaluation.holdout import read_holdout

HEADER = "t_dat,customer_id,article_id,price,sales_channel_id"
AS_OF = date(2020, 9, 20)


@pytest.fixture
def tables_dir(tmp_path: Path) -> Path:
    tables = {
        "articles": "SELECT * FROM (VALUES ('0000000001'), ('0000000002')) AS t(article_id)",
        "purchases": "SELECT 'anna' AS customer_id, DATE '2020-09-19' AS day",
    }
    for name, rows in tables.items():
        duckdb.sql(f"COPY ({rows}) TO '{tmp_path}/{name}.parquet' (FORMAT parquet)")
    return tmp_path


def written(folder: Path, *rows: str) -> Path:
    path = folder / "later.csv"
    path.write_text("\n".join([HEADER, *rows]) + "\n")
    return path


def test_the_first_day_and_the_whole_file_are_told_apart_and_the_unknown_is_counted(tables_dir: Path) -> None:
    path = written(
        tables_dir,
        "2020-09-21,anna,0000000002,0.02,2",
        "2020-09-21,anna,0000000002,0.02,2",
        "2020-09-22,anna,0000000001,0.02,1",
        "2020-09-22,bert,0000000001,0.02,1",
        "2020-09-22,bert,0000000099,0.02,1",
    )
    holdout = read_holdout(path, tables_dir, AS_OF)
    assert (holdout.first_day, holdout.last_day) == (date(2020, 9, 21), date(2020, 9, 22))
    assert holdout.of_first_day == {"anna": ["0000000002"]}
    assert holdout.of_all_days == {"anna": ["0000000001", "0000000002"], "bert": ["0000000001"]}
    assert (holdout.purchases, holdout.unknown_articles, holdout.unknown_customers) == (4, 1, 1)


def test_parquet_reads_the_same(tables_dir: Path) -> None:
    path = written(tables_dir, "2020-09-21,anna,0000000002,0.02,2")
    parquet = tables_dir / "later.parquet"
    duckdb.sql(f"COPY (SELECT * FROM read_csv('{path}', all_varchar = true)) TO '{parquet}'")
    assert read_holdout(parquet, tables_dir, AS_OF) == read_holdout(path, tables_dir, AS_OF)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2020-09-19,anna,0000000001,0.02,2", "begins on 2020-09-19, but the release was trained on .* 2020-09-20"),
        ("2020-09-21,anna,1,0.02,2", "row 1, column 'article_id' holds '1'; expected 10 digits"),
        ("2020-09-21,anna,0000000099,0.02,2", "no purchase of an article that has been ingested"),
    ],
)
def test_a_file_that_cannot_be_measured_on_says_why(tables_dir: Path, row: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        read_holdout(written(tables_dir, row), tables_dir, AS_OF)


def test_another_kind_of_file_is_refused(tables_dir: Path) -> None:
    with pytest.raises(UserError, match=r"neither .csv nor .parquet"):
        read_holdout(tables_dir / "later.json", tables_dir, AS_OF)
