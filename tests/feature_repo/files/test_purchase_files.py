"""Purchase files are read whole and exactly, and what is wrong with them is said so that a person can mend it."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from feature_repo.files.file_layouts import ARTICLES
from feature_repo.files.purchase_files import ingest
from infra.base.errors import UserError
from tests.feature_repo.files.shop_files import (
    ARTICLE_HEADER,
    ARTICLES_ROWS,
    CUSTOMER_HEADER,
    CUSTOMERS,
    TRANSACTION_HEADER,
    TRANSACTIONS,
    Shop,
    article,
)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def test_every_row_becomes_a_purchase_with_its_own_id_and_instant(shop: Shop) -> None:
    files = shop.ingest()
    assert (files.articles, files.customers, files.purchases) == (2, 3, 4)
    assert (files.buyers, files.buyers_without_profile) == (2, 1)
    assert (files.first_day, files.last_day, files.rejected) == (date(2020, 9, 19), date(2020, 9, 20), {})

    def instant(day: int, microsecond: int) -> datetime:
        return datetime(2020, 9, day, 0, 0, 0, microsecond, tzinfo=UTC)

    purchases = [tuple(row.values()) for row in shop.table("purchases")]
    day = date(2020, 9, 20)
    assert purchases == [
        ("20200919-000000002", instant(19, 1), date(2020, 9, 19), "c1", "0000000011", 50_000, 1),
        ("20200920-000000001", instant(20, 1), day, "c1", "0000000011", 25_407, 2),
        ("20200920-000000003", instant(20, 2), day, "c1", "0000000011", 25_407, 2),
        ("20200920-000000004", instant(20, 3), day, "stranger", "0000000012", 0, 1),
    ]


def test_the_tables_have_the_types_others_rely_on(shop: Shop) -> None:
    shop.ingest()
    schema = pq.read_schema(shop.tables / "purchases.parquet")
    assert {field.name: field.type for field in schema} == {
        "event_id": pa.string(),
        "occurred_at": pa.timestamp("us", "UTC"),
        "day": pa.date32(),
        "customer_id": pa.string(),
        "article_id": pa.string(),
        "price_micros": pa.int64(),
        "sales_channel_id": pa.int8(),
    }
    assert pq.read_schema(shop.tables / "customers.parquet").field("age").type == pa.int16()
    assert set(pq.read_schema(shop.tables / "articles.parquet").types) == {pa.string()}


def test_profiles_and_catalogue(shop: Shop) -> None:
    shop.ingest()
    assert [tuple(row.values()) for row in shop.table("customers")] == [
        ("c1", True, None, "ACTIVE", "NONE", 24, "p1"),
        ("c2", None, True, None, "NONE", None, "p2"),
        ("c3", False, True, "LEFT CLUB", "Regularly", 80, None),
    ]
    first, second = shop.table("articles")
    assert list(first) == list(ARTICLES.columns)
    assert (first["article_id"], first["detail_desc"]) == ("0000000011", 'A "soft" top, ribbed.\nWashable.')
    assert (second["article_id"], second["detail_desc"]) == ("0000000012", None)


def test_until_leaves_out_that_day_and_later_ones(shop: Shop) -> None:
    assert shop.ingest(until=date(2020, 9, 20)).purchases == 1


def test_purchases_may_come_as_parquet(shop: Shop) -> None:
    shop.ingest()
    expected = shop.table("purchases")
    rows = [line.split(",") for line in TRANSACTIONS]
    columns = dict(zip(TRANSACTION_HEADER.split(","), zip(*rows, strict=True), strict=True))
    table = pa.table(
        {
            "t_dat": pa.array([date.fromisoformat(text) for text in columns["t_dat"]]),
            "customer_id": pa.array(columns["customer_id"]),
            "article_id": pa.array(columns["article_id"]),
            "price": pa.array([float(text) for text in columns["price"]]),
            "sales_channel_id": pa.array([int(text) for text in columns["sales_channel_id"]], pa.int64()),
        }
    )
    pq.write_table(table, shop.folder / "transactions_train.parquet")
    with pytest.raises(UserError, match=r"holds both .*csv and .*parquet"):
        shop.ingest()
    (shop.folder / "transactions_train.csv").unlink()
    shop.ingest()
    assert shop.table("purchases") == expected

    numbers = table.set_column(2, "article_id", pa.array([11, 11, 11, 12]))
    pq.write_table(numbers, shop.folder / "transactions_train.parquet")
    with pytest.raises(UserError, match="column 'article_id' is of type BIGINT; expected strings"):
        shop.ingest()


def test_windows_line_ends_and_a_byte_order_mark_are_fine(shop: Shop) -> None:
    shop.ingest()
    expected = shop.table("purchases")
    shop.write("transactions_train", TRANSACTION_HEADER, *TRANSACTIONS, encoding="utf-8-sig", end="\r\n")
    shop.ingest()
    assert shop.table("purchases") == expected


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("2020-09-31,c1,0000000011,1,2", "column 't_dat' holds '2020-09-31'; expected a date such as 2020-09-20"),
        ("20.9.2020,c1,0000000011,1,2", "column 't_dat' holds '20.9.2020'; expected a date such as 2020-09-20"),
        (",c1,0000000011,1,2", "column 't_dat' is empty; expected a date such as 2020-09-20"),
        ("2020-09-20,,0000000011,1,2", "column 'customer_id' is empty; expected 1 to 64 letters"),
        ("2020-09-20,c 1,0000000011,1,2", "column 'customer_id' holds 'c 1'; expected 1 to 64 letters"),
        ("2020-09-20,c1,11,1,2", "column 'article_id' holds '11'; expected 10 digits"),
        ("2020-09-20,c1,0000000013,1,2", "column 'article_id' holds '0000000013'; expected the id of a row of the"),
        ("2020-09-20,c1,0000000011,abc,2", "column 'price' holds 'abc'; expected a number of at least 0"),
        ("2020-09-20,c1,0000000011,-0.1,2", "column 'price' holds '-0.1'; expected a number of at least 0"),
        ("2020-09-20,c1,0000000011,nan,2", "column 'price' holds 'nan'; expected a number of at least 0"),
        ("2020-09-20,c1,0000000011,inf,2", "column 'price' holds 'inf'; expected a number of at least 0"),
        ("2020-09-20,c1,0000000011,1,3", "column 'sales_channel_id' holds '3'; expected 1 (store) or 2 (online)"),
        ("2020-09-20,c1,0000000011,1", "reads '2020-09-20,c1,0000000011,1'; expected 5 columns"),
        ("2020-09-20,c1,0000000011,1,2,9", "reads '2020-09-20,c1,0000000011,1,2,9'; expected 5 columns"),
    ],
)
def test_a_bad_purchase_is_named(shop: Shop, row: str, message: str) -> None:
    shop.write("transactions_train", TRANSACTION_HEADER, *TRANSACTIONS, row, TRANSACTIONS[0])
    with pytest.raises(UserError) as error:
        shop.ingest()
    assert str(error.value).startswith("transactions_train.csv, row 5")
    assert message in str(error.value)
    assert not list(shop.tables.glob("*.parquet"))


@pytest.mark.parametrize(
    ("name", "lines", "message"),
    [
        ("articles", [ARTICLE_HEADER, *ARTICLES_ROWS, article("0000000012")],
         "articles.csv, row 3, column 'article_id' holds '0000000012'; expected no repeats"),
        ("articles", [ARTICLE_HEADER, article("abc")], "row 1, column 'article_id' holds 'abc'; expected 10 digits"),
        ("articles", [ARTICLE_HEADER], "holds no good article"),
        ("articles", [ARTICLE_HEADER, article("0000000011").replace("value of prod_name", "")],
         "row 1, column 'prod_name' is empty; expected a value"),
        ("customers", [CUSTOMER_HEADER, *CUSTOMERS, "c1,,,,,,"],
         "customers.csv, row 4, column 'customer_id' holds 'c1'; expected no repeats"),
        ("customers", [CUSTOMER_HEADER, "c1,,,,,old,"], "row 1, column 'age' holds 'old'; expected a number"),
        ("customers", [CUSTOMER_HEADER, "c1,yes,,,,,"], "row 1, column 'FN' holds 'yes'; expected 0, 1 or nothing"),
        ("customers", [CUSTOMER_HEADER.replace(",age", "")], "customers.csv has no column 'age'; expected customer_id"),
        ("transactions_train", [TRANSACTION_HEADER], "holds no good purchase"),
    ],
)  # fmt: skip
def test_a_bad_file_is_named(shop: Shop, name: str, lines: list[str], message: str) -> None:
    shop.write(name, *lines)
    if name == "articles":
        shop.write("transactions_train", TRANSACTION_HEADER)
    with pytest.raises(UserError) as error:
        shop.ingest()
    assert message in str(error.value)


def test_a_wrong_encoding_is_named(shop: Shop) -> None:
    shop.write("customers", CUSTOMER_HEADER, "c1,,,AKTİV,,,", encoding="utf-16")
    with pytest.raises(UserError, match=r"customers.csv is not UTF-8"):
        shop.ingest()
    shop.write("customers", CUSTOMER_HEADER, "c1,,,,,,", "c2,,,GELÖSCHT,,,", encoding="latin-1")
    with pytest.raises(UserError, match=r"customers.csv, row 2 .*expected text in UTF-8"):
        shop.ingest()


def test_a_missing_or_empty_file_is_named(shop: Shop) -> None:
    (shop.folder / "customers.csv").write_bytes(b"")
    with pytest.raises(UserError, match=r"customers.csv is empty"):
        shop.ingest()
    (shop.folder / "customers.csv").unlink()
    with pytest.raises(UserError, match=r"has no customers.csv"):
        shop.ingest()
    with pytest.raises(UserError, match="is not a folder"):
        ingest(shop.folder / "nowhere", shop.tables)


def test_bad_rows_are_set_aside_and_the_others_keep_their_numbers(shop: Shop, tmp_path: Path) -> None:
    bad = ["2020-09-20,c1,0000000011,1", '2020-09-20,"c,1",0000000011,1,2', "2020-09-20,c1,0000000011,1,2,3"]
    shop.write("transactions_train", TRANSACTION_HEADER, bad[0], TRANSACTIONS[0], *bad, *TRANSACTIONS[1:])
    with pytest.raises(UserError, match=r"\(3 more bad rows\). Mend it, or set bad rows aside with --reject-file FILE"):
        shop.ingest()
    rejects = tmp_path / "rejects.csv"
    files = shop.ingest(reject_file=rejects)
    assert files.rejected == {"transactions_train.csv": 4}
    assert [row["event_id"] for row in shop.table("purchases")] == [
        "20200919-000000006", "20200920-000000002", "20200920-000000007", "20200920-000000008",
    ]  # fmt: skip
    with rejects.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["file"], row["row"], row["line"]) for row in rows] == [
        ("transactions_train.csv", str(number), line)
        for number, line in ((1, bad[0]), (3, bad[0]), (4, bad[1]), (5, bad[2]))
    ]
    assert (rows[2]["column"], rows[2]["value"]) == ("customer_id", "c,1")
    assert rows[2]["expected"].startswith("1 to 64 letters")
