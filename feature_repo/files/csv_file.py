"""Opens a CSV file as shops have them: packed, with other separators, columns without names, line ends of all kinds.

What is clear is read. What DuckDB cannot read as it stands is copied in order first.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import re
import shutil
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from infra.base.errors import UserError

_BLOCK = 4 << 20
_HEAD = 1 << 20
_DELIMITERS = ",;\t|"
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_LINE_END = rb"(?:\r*\n|\r)"
_BEFORE_HEADER = re.compile(rb"(?:\xef\xbb\xbf)?(?:[ \t]*%b|sep=.%b)+" % (_LINE_END, _LINE_END))
_PACKED = (".gz", ".zip")


@dataclass(frozen=True)
class CsvFile:
    """A CSV file in UTF-8, its header in the first line, its line ends all alike.

    Attributes:
        path: the user's file, or an orderly copy of it.
        columns: by position; None where there is nothing to be read.
    """

    path: Path
    delimiter: str
    columns: tuple[str | None, ...]


def open_csv(path: Path, wanted: Sequence[str], scratch: Path) -> CsvFile:
    """Look at a file, unpack and tidy it if need be.

    Args:
        path: ``.csv``, or one packed as ``.csv.gz``, ``.csv.zip`` or ``.zip``.
        wanted: the names of the columns that are read; all others are passed over.
        scratch: a folder for copies; its owner removes it.

    Raises:
        UserError: it is damaged, no UTF-8 text, or a wanted column is missing or there twice.
    """
    try:
        plain = _unpacked(path, scratch) if path.suffix in _PACKED else path
        tidy = _tidied(plain, scratch)
        with tidy.open("rb") as file:
            head = file.read(_HEAD)
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise UserError(f"{path.name} is damaged and cannot be unpacked; fetch it again") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}") from error
    if not head:
        raise UserError(f"{path.name} is empty; expected a header and rows")
    header, _, rest = head.partition(b"\n")
    try:
        if head.startswith(_UTF16_MARKS):
            raise UnicodeError
        line = header.decode("utf-8-sig").rstrip("\r")
    except UnicodeError:
        raise UserError(f"{path.name} is not UTF-8 text; save it as UTF-8 and try again") from None
    if line.count('"') % 2:
        raise UserError(f"{path.name} has a quote in its header that is not closed: {line[:80]}")
    delimiter, names = _split(line, wanted)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise UserError(
            f"{path.name} has no column {', '.join(map(repr, missing))}; "
            f"expected {', '.join(wanted)}; found {', '.join(name or 'one without a name' for name in names)}"
        )
    if any(names.count(name) > 1 for name in wanted):
        raise UserError(f"{path.name} has a column twice in its header: {', '.join(names)}")
    names = _without_empty_end(names, _first_record(rest, delimiter))
    return CsvFile(tidy, delimiter, tuple(name if name in wanted else None for name in names))


def _split(header: str, wanted: Sequence[str]) -> tuple[str, list[str]]:
    """The separator under which the header holds most of the wanted names, and the names."""
    splits = [
        (delimiter, [name.strip() for name in next(csv.reader([header], delimiter=delimiter), [])])
        for delimiter in _DELIMITERS
    ]
    return max(splits, key=lambda split: len(set(wanted).intersection(split[1])))


def _first_record(rest: bytes, delimiter: str) -> list[str]:
    lines = rest.decode("utf-8", errors="replace").splitlines(keepends=True)
    try:
        return next(csv.reader(lines, delimiter=delimiter), [])
    except csv.Error:
        return []


def _without_empty_end(names: list[str], record: Sequence[str]) -> list[str]:
    """Leave out what separators at the end of lines add: columns without a name and without values."""
    end = len(names)
    while end and not names[end - 1] and not any(record[end - 1 :]):
        end -= 1
    return names[:end]


def _unpacked(path: Path, scratch: Path) -> Path:
    unpacked = scratch / f"{path.name}.unpacked"
    if path.suffix == ".gz":
        with gzip.open(path, "rb") as packed, unpacked.open("wb") as file:
            shutil.copyfileobj(packed, file, _BLOCK)
        return unpacked
    name = path.name.removesuffix(".zip").removesuffix(".csv") + ".csv"
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if Path(member.filename).name == name]
        if len(members) != 1:
            raise UserError(f"{path.name} holds {', '.join(archive.namelist()) or 'nothing'}; expected {name} in it")
        if members[0].flag_bits & 1:
            raise UserError(f"{path.name} asks for a password; unpack it and leave {name} in its place")
        with archive.open(members[0]) as packed, unpacked.open("wb") as file:
            shutil.copyfileobj(packed, file, _BLOCK)
    return unpacked


def _tidied(path: Path, scratch: Path) -> Path:
    """The file itself, or a copy with one kind of line end whose first line is the header."""
    with path.open("rb") as file:
        before = _BEFORE_HEADER.match(file.read(_HEAD))
        file.seek(0)
        if before is None and _line_ends_agree(file):
            return path
        tidy = scratch / f"{path.name}.tidy"
        file.seek(before.end() if before else 0)
        with tidy.open("wb") as copy:
            open_end = b""
            while block := file.read(_BLOCK):
                block = open_end + block
                whole = block.rstrip(b"\r")
                open_end = block[len(whole) :]
                copy.write(re.sub(_LINE_END, b"\n", whole))
            copy.write(b"\n" if open_end else b"")
    return tidy


def _line_ends_agree(file: IO[bytes]) -> bool:
    returns = pairs = feeds = 0
    before = b""
    while block := file.read(_BLOCK):
        returns += block.count(b"\r")
        feeds += block.count(b"\n")
        pairs += block.count(b"\r\n") + (before == b"\r" and block.startswith(b"\n"))
        before = block[-1:]
    return returns == 0 or returns == pairs == feeds
