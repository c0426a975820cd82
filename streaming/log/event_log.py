"""The event log: everything that came over a topic, as Parquet by event date, each offset written exactly once.

``<folder>/day=2020-09-20/3-000000001200-000000001873.parquet`` holds what partition 3 brought of that day between these
offsets. Batch reads ``<folder>/**/*.parquet``. Several workers, also one that lost its partition and does not know it
yet, may write to one folder, which may be on any file system that hosts share:

1. each day's rows go to a hidden file under a name of its own;
2. one record, ``_commits/<partition>-<first offset>.json``, says where the partition's log goes on and lists the files.
   It is created exclusively: of two writers that would go on from the same offset one succeeds, the other starts over;
3. the files get their names. Whoever takes over finishes this step for a writer that died before it.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from infra.base.calendar import date_of

COMMITS = "_commits"
_KEPT_RECORDS = 100
_HARDLY_REPEATING = frozenset(("event_id", "occurred_at"))
_UTC_MICROS = pa.timestamp("us", tz="UTC")

PURCHASE_COLUMNS = pa.schema(
    [
        ("event_id", pa.string()),
        ("occurred_at", _UTC_MICROS),
        ("day", pa.date32()),
        ("customer_id", pa.string()),
        ("article_id", pa.string()),
        ("price_micros", pa.int64()),
        ("sales_channel_id", pa.int8()),
    ]
)
INTERACTION_COLUMNS = pa.schema(
    [
        ("event_id", pa.string()),
        ("occurred_at", _UTC_MICROS),
        ("day", pa.date32()),
        ("customer_id", pa.string()),
        ("kind", pa.string()),
        ("article_id", pa.string()),
        ("request_id", pa.string()),
        ("release", pa.int64()),
        ("position", pa.int64()),
    ]
)
AVAILABILITY_COLUMNS = pa.schema(
    [
        ("event_id", pa.string()),
        ("occurred_at", _UTC_MICROS),
        ("day", pa.date32()),
        ("article_id", pa.string()),
        ("in_stock", pa.bool_()),
    ]
)

Row = tuple[Any, ...]


@dataclass(frozen=True)
class Commit:
    """One record: offsets up to ``next_offset`` (not included) are in the log; ``files`` maps hidden to final names."""

    next_offset: int
    files: dict[str, str]


class EventLog:
    """The log of one topic.

    Args:
        folder: of the topic, such as ``var/events/transactions``.
        columns: of the files; rows have their values in this order, times as microseconds, days since 1970-01-01.
    """

    def __init__(self, folder: Path, columns: pa.Schema) -> None:
        self.folder = folder
        self._commits = folder / COMMITS
        self._columns = columns
        self._day_column = columns.get_field_index("day")

    def topic_id(self, met: str) -> str:
        """The id of the topic whose events are here; from now on ``met`` if none is known."""
        path = self._commits / "topic-id"
        _create(path, met)
        return path.read_text()

    def position(self, partition: int) -> int | None:
        """The next offset to log, after finishing what a dead writer left half done; None if nothing was logged."""
        commits = self._read_commits(partition)
        if not commits:
            return None
        last = max(commits, key=lambda commit: commit.next_offset)
        self._name(last)
        return last.next_offset

    def partitions(self) -> list[int]:
        """The partitions that something was logged of."""
        return sorted({int(path.name.split("-")[0]) for path in self._commits.glob("[0-9]*.json")})

    def first_offset_from(self, partition: int, day: date) -> int | None:
        """An offset at or before the first logged event dated ``day`` or later; None if there is none."""
        firsts = [
            int(path.name.split("-")[1])
            for folder in self.folder.glob("day=*")
            if folder.name >= f"day={day}"
            for path in folder.glob(f"{partition}-*.parquet")
        ]
        return min(firsts, default=None)

    def begin(self, partition: int, offset: int) -> int:
        """Start the log of a partition here, unless someone has; returns where it goes on."""
        self._commit(self._commits / f"{partition}-begin.json", Commit(offset, {}))
        position = self.position(partition)
        assert position is not None
        return position

    def append(self, partition: int, first_offset: int, next_offset: int, rows: Sequence[Row]) -> bool:
        """Log the offsets from ``first_offset`` to before ``next_offset``; some may have no row.

        Returns:
            False if another writer has logged from ``first_offset`` on: nothing is written then.
        """
        if self._has_gone_on(partition, first_offset):
            return False
        by_day: dict[int, list[Row]] = {}
        for row in rows:
            by_day.setdefault(row[self._day_column], []).append(row)
        writer = uuid.uuid4().hex[:12]
        files: dict[str, str] = {}
        for day, of_day in sorted(by_day.items()):
            folder = f"day={date_of(day)}"
            final = f"{folder}/{partition}-{first_offset:012d}-{next_offset - 1:012d}.parquet"
            hidden = f"{folder}/.{partition}-{first_offset:012d}-{writer}.partial"
            files[hidden] = final
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
            self._write(self.folder / hidden, of_day)
        commit = Commit(next_offset, files)
        if not self._commit(self._commits / f"{partition}-{first_offset:020d}.json", commit):
            for hidden in files:
                (self.folder / hidden).unlink(missing_ok=True)
            return False
        self._name(commit)
        self._prune(partition)
        return True

    def _write(self, path: Path, rows: Sequence[Row]) -> None:
        columns = [
            pa.array(values, type=field.type)
            for field, values in zip(self._columns, zip(*rows, strict=True), strict=True)
        ]
        # Looking for equal values where hardly two are equal takes twice as long as all the rest.
        repeating = [name for name in self._columns.names if name not in _HARDLY_REPEATING]
        with path.open("wb") as file:
            table = pa.table(columns, schema=self._columns)
            pq.write_table(table, file, compression="zstd", use_dictionary=repeating)
            file.flush()
            os.fsync(file.fileno())

    def _commit(self, path: Path, commit: Commit) -> bool:
        """Create a record that nobody has created yet."""
        return _create(path, json.dumps({"next_offset": commit.next_offset, "files": commit.files}))

    def _has_gone_on(self, partition: int, first_offset: int) -> bool:
        """Whether the log has records of later offsets: then whoever is at ``first_offset`` slept for long."""
        return any(int(path.stem.split("-")[1]) > first_offset for path in self._commits.glob(f"{partition}-0*.json"))

    def _name(self, commit: Commit) -> None:
        for hidden, final in commit.files.items():
            with suppress(FileNotFoundError):  # done already
                (self.folder / hidden).rename(self.folder / final)

    def _read_commits(self, partition: int) -> list[Commit]:
        commits = []
        for path in self._commits.glob(f"{partition}-*.json"):
            with suppress(FileNotFoundError):  # pruned by another worker
                content = json.loads(path.read_text())
                commits.append(Commit(content["next_offset"], content["files"]))
        return commits

    def _prune(self, partition: int) -> None:
        paths = sorted(self._commits.glob(f"{partition}-0*.json"))
        for path in paths[:-_KEPT_RECORDS]:
            path.unlink(missing_ok=True)


def _create(path: Path, text: str) -> bool:
    """Create a file that nobody has created yet, whole; False if somebody has."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex[:12]}")
    with draft.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


class PartitionLog:
    """What one partition brought and is not in the log yet.

    Args:
        position: the next offset to log.
    """

    def __init__(self, log: EventLog, partition: int, position: int) -> None:
        self._log = log
        self._partition = partition
        self._position = self._next_offset = position
        self._rows: list[tuple[int, Row]] = []  # offset and row

    @property
    def position(self) -> int:
        """Offsets before this one are in the log."""
        return self._position

    @property
    def pending(self) -> int:
        """Rows that wait to be written."""
        return len(self._rows)

    def take(self, rows: Sequence[tuple[int, Row]], next_offset: int) -> None:
        """Take (offset, row) in, in their order; what was taken before, and is read again, is left out."""
        if rows and rows[0][0] < self._next_offset:
            rows = [(offset, row) for offset, row in rows if offset >= self._next_offset]
        self._rows += rows
        self._next_offset = max(self._next_offset, next_offset)

    def flush(self) -> int:
        """Write what waits; returns the number of rows written."""
        written = 0
        while self._next_offset > self._position:
            if self._log.append(self._partition, self._position, self._next_offset, [row for _, row in self._rows]):
                written = len(self._rows)
                self._position = self._next_offset
            else:  # another worker was here: go on from where its log ends
                self._position = max(self._log.position(self._partition) or 0, self._position)
            self._rows = [(offset, row) for offset, row in self._rows if offset >= self._position]
            self._next_offset = max(self._next_offset, self._position)
        return written
