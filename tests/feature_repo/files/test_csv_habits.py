"""CSV files as pandas, Excel, Spark and Kaggle leave them: read where they are clear, named where they are not."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from feature_repo.files.csv_file import open_csv
from infra.base.errors import UserError
from tests.feature_repo.files.shop_files import (
    ARTICLE_HEADER,
    ARTICLES_ROWS,
    CUSTOMER_HEADER,
    CUSTOMERS,
    TRANSACTION_HEADER,
    TRANSACTIONS,
    Shop,
)

FILES = {
    "articles": [ARTICLE_HEADER, *ARTICLES_ROWS],
    "customers": [CUSTOMER_HEADER, *CUSTOMERS],
    "transactions_train": [TRANSACTION_HEADER, *TRANSACTIONS],
}

Habit = Callable[[list[str]], bytes]


def joined(lines: list[str], ends: list[str]) -> bytes:
    return "".join(line + ends[number % len(ends)] for number, line in enumerate(lines)).encode()


def habit(change: Callable[[int, str], str], ends: str = "\n") -> Habit:
    """Each line, by its number, in another form."""
    return lambda lines: joined([change(number, line) for number, line in enumerate(lines)], [ends])


HABITS: dict[str, Habit] = {
    "an index column without a name": habit(lambda n, line: f"{n - 1 if n else ''},{line}"),
    "an index column with a name": habit(lambda n, line: f"{n - 1 if n else 'Unnamed: 0'},{line}"),
    "a comma at the end of every line": habit(lambda n, line: f"{line},"),
    "commas at the end of the header only": habit(lambda n, line: line if n else f"{line},,"),
    "commas at the end of the rows only": habit(lambda n, line: f"{line},,," if n else line),
    "commas at the end of some rows": habit(lambda n, line: f"{line},," if n % 2 else line),
    "an index column and commas at the end": habit(lambda n, line: f"{n - 1 if n else ''},{line},"),
    "CR LF": habit(lambda n, line: line, "\r\n"),
    "CR only": habit(lambda n, line: line, "\r"),
    "CR CR LF": habit(lambda n, line: line, "\r\r\n"),
    "mixed line ends": lambda lines: joined(lines, ["\n", "\r\n"]),
    "line ends of three kinds": lambda lines: joined(lines, ["\r\n", "\r", "\n"]),
    "no line end at the end": lambda lines: "\n".join(lines).encode(),
    "a mixed file without a line end at its end": lambda lines: joined(lines, ["\r\n", "\n"]).rstrip(b"\r\n"),
    "blank lines before the header": lambda lines: b"\n\r\n" + joined(lines, ["\n"]),
    "blank lines at the end": lambda lines: joined(lines, ["\n"]) + b"\n\n",
    "a byte order mark": lambda lines: b"\xef\xbb\xbf" + joined(lines, ["\n"]),
    "a byte order mark and mixed line ends": lambda lines: b"\xef\xbb\xbf" + joined(lines, ["\n", "\r\n"]),
    "a line for Excel": lambda lines: b"sep=,\r\n" + joined(lines, ["\r\n"]),
    "a quoted header": habit(lambda n, line: line if n else ",".join(f'"{name}"' for name in line.split(","))),
    "a header with blanks": habit(lambda n, line: line if n else line.replace(",", ", ")),
    "a column of the same name in other letters": habit(
        lambda n, line: f"{line},{'Customer_ID' if 'customer_id' in line else 'ARTICLE_ID'}" if not n else f"{line},x"
    ),
}


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    return Shop(tmp_path)


def tables(shop: Shop) -> dict[str, list[dict]]:
    return {name: shop.table(name) for name in ("articles", "customers", "purchases")}


@pytest.mark.parametrize("name", HABITS)
def test_a_habit_changes_nothing(shop: Shop, name: str) -> None:
    shop.ingest()
    expected = tables(shop)
    for file, lines in FILES.items():
        (shop.folder / f"{file}.csv").write_bytes(HABITS[name](lines))
    assert shop.ingest().rejected == {}
    found = tables(shop)
    assert found["purchases"] == expected["purchases"]
    assert found["customers"] == expected["customers"]
    # A line end within a quoted text may be another one, where all of the file's were made alike.
    texts = [row.pop("detail_desc") for row in found["articles"]]
    assert [text and text.split() for text in texts] == [
        text and text.split() for text in [row.pop("detail_desc") for row in expected["articles"]]
    ]
    assert found["articles"] == expected["articles"]


@pytest.mark.parametrize("delimiter", [";", "\t", "|"])
def test_other_separators(shop: Shop, delimiter: str) -> None:
    shop.ingest()
    expected = shop.table("purchases")
    shop.write("transactions_train", *(line.replace(",", delimiter) for line in FILES["transactions_train"]))
    shop.ingest()
    assert shop.table("purchases") == expected


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends_are_made_alike_across_blocks(tmp_path: Path, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("feature_repo.files.csv_file._BLOCK", 3)
    path = tmp_path / "some.csv"
    path.write_bytes(f"a,b\r\n1,2{end}3,4\n5,6\r{end}7,8{end}".encode())
    lines = open_csv(path, ["a"], tmp_path).path.read_bytes().split(b"\n")
    assert [line for line in lines if line] == [b"a,b", b"1,2", b"3,4", b"5,6", b"7,8"]


def gz(path: Path) -> None:
    with gzip.open(f"{path}.gz", "wb") as file:
        file.write(path.read_bytes())


def zipped(path: Path, name: str | None = None) -> None:
    with zipfile.ZipFile(name or f"{path}.zip", "w") as archive:
        archive.write(path, path.name)


@pytest.mark.parametrize("pack", [gz, zipped, lambda path: zipped(path, str(path.with_suffix(".zip")))])
def test_packed_files_are_read_where_they_stand_alone(shop: Shop, pack: Callable[[Path], None]) -> None:
    shop.ingest()
    expected = tables(shop)
    for file in FILES:
        path = shop.folder / f"{file}.csv"
        pack(path)
    shop.ingest()  # beside what was unpacked from them they are left alone
    assert tables(shop) == expected
    for file in FILES:
        (shop.folder / f"{file}.csv").unlink()
    shop.ingest()
    assert tables(shop) == expected


def spoil_gz(path: Path) -> None:
    gz(path)
    packed = Path(f"{path}.gz")
    packed.write_bytes(packed.read_bytes()[:-12])


def other_content(path: Path) -> None:
    with zipfile.ZipFile(f"{path}.zip", "w") as archive:
        archive.writestr("readme.txt", "hello")


@pytest.mark.parametrize(
    ("pack", "message"),
    [
        (spoil_gz, "customers.csv.gz is damaged and cannot be unpacked"),
        (lambda path: Path(f"{path}.gz").write_bytes(b"no gzip"), "customers.csv.gz is damaged"),
        (lambda path: Path(f"{path}.zip").write_bytes(b"no zip"), "customers.csv.zip is damaged"),
        (other_content, "customers.csv.zip holds readme.txt; expected customers.csv in it"),
        (lambda path: path.with_suffix("").mkdir(), "has no customers.csv"),
    ],
)
def test_packed_files_that_cannot_be_read_are_named(shop: Shop, pack: Callable[[Path], object], message: str) -> None:
    path = shop.folder / "customers.csv"
    pack(path)
    path.unlink()
    with pytest.raises(UserError, match=message):
        shop.ingest()


@pytest.mark.parametrize(
    "name", ["articles.csv", "customers.csv", "transactions_train.csv", "transactions_train.parquet"]
)
def test_a_folder_in_place_of_a_file_is_named(shop: Shop, name: str) -> None:
    (shop.folder / name).with_suffix(".csv").unlink()
    (shop.folder / name).mkdir()
    (shop.folder / name / "part-00000.csv").write_text("x")
    with pytest.raises(UserError, match=rf"{name} is a folder; expected a file"):
        shop.ingest()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\n\n", "customers.csv is empty"),
        (b"\xff\xfec\x00", "customers.csv is not UTF-8 text"),
        (CUSTOMER_HEADER.encode() + b',"\nc1', "customers.csv has a quote in its header that is not closed"),
        (CUSTOMER_HEADER.encode() + b'\nc1,,,,,,"open\nc2,,,,,,\n', "customers.csv, row 1 reads .*a closing quote"),
        (CUSTOMER_HEADER.encode() + b"\nc1,,,,,," + b"x" * 3_000_000 + b"\n", "customers.csv, row 1"),
        (CUSTOMER_HEADER.encode() + b"\nc1,,,,,\x00,\n", r"row 1, column 'age' holds '\\x00'; expected a number"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "customers.csv"),
        (CUSTOMER_HEADER.replace(",age", ",age,age").encode() + b"\n", "customers.csv has a column twice"),
        (CUSTOMER_HEADER.replace("age", "").encode() + b"\nc1,,,,,,\n", "no column 'age'.* one without a name"),
    ],
)
def test_nothing_of_the_engine_reaches_the_user(shop: Shop, content: bytes, message: str) -> None:
    (shop.folder / "customers.csv").write_bytes(content)
    with pytest.raises(UserError, match=message) as error:
        shop.ingest()
    assert len(str(error.value)) < 500
    for word in ("Error", "read_csv", "strict_mode", "parser", "\n"):
        assert word not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet", b"PAR1" + bytes(100) + b"PAR1"])
def test_what_is_no_parquet_is_named(shop: Shop, content: bytes) -> None:
    (shop.folder / "transactions_train.csv").unlink()
    (shop.folder / "transactions_train.parquet").write_bytes(content)
    with pytest.raises(UserError, match=r"transactions_train.parquet is (empty|damaged or no Parquet file)") as error:
        shop.ingest()
    assert "Error" not in str(error.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_named(shop: Shop) -> None:
    (shop.folder / "customers.csv").chmod(0)
    with pytest.raises(UserError, match=r"customers.csv cannot be read: Permission denied"):
        shop.ingest()


def test_a_reject_file_that_cannot_be_written_is_named(shop: Shop, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"bad rows cannot be written to .*file/bad.csv; give a file in a folder"):
        shop.ingest(reject_file=tmp_path / "file" / "bad.csv")
    assert not list(shop.tables.iterdir())
