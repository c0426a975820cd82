"""Merges the event log's many small files of a day into one per partition.

``day=2020-09-20/3-000000001200-000000001873.parquet`` and its successors become one file whose name has the first and
the last offset of all of them. The name is the commit: the merged file is written under a hidden one and gets its own
in one exclusive step, whole. From then on the files that it covers are *replaced*; they are removed by a later run, an
hour on, so that whoever listed them, or was listing meanwhile, reads on in peace. Until then their events are in two
files: batch and bootstrap read each event id once, and ``current_files`` tells the rest.

Nothing else is written down, so a compaction that is killed leaves a hidden file or replaced ones, and the next removes
them. Workers only add files of later offsets; of two compactions that merge the same files one finds the name taken.
"""

from __future__ import annotations

import os
import re
import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from infra.base.durable import sync_folder

GRACE = timedelta(hours=1)
_NAME = re.compile(r"(\d+)-(\d+)-(\d+)\.parquet")
_HIDDEN = ".merged-*.partial"
_ROW_GROUP = 1 << 17


@dataclass(frozen=True, order=True)
class LogFile:
    """One file of a day: what a partition brought between two offsets, both included."""

    partition: int
    first: int
    last: int
    path: Path

    @classmethod
    def parse(cls, path: Path) -> LogFile | None:
        """None if the name is not one of the event log's."""
        match = _NAME.fullmatch(path.name)
        return cls(int(match[1]), int(match[2]), int(match[3]), path) if match else None

    def covers(self, other: LogFile) -> bool:
        """Whether everything in the other file is in this one as well."""
        return (
            self.partition == other.partition
            and self.first <= other.first
            and other.last <= self.last
            and self.path != other.path
        )


@dataclass
class Compaction:
    """What one run has done to a topic's log."""

    files: int = 0  # that readers need, before
    merged_files: int = 0  # that readers need, after
    removed: int = 0
    replaced: int = 0  # still there, for readers that may be at them


def current_files(folder: Path) -> list[LogFile]:
    """The files of one day that hold every event once, by partition and offset; replaced ones are left out."""
    files = _files(folder)
    replaced = _replaced_among(files)
    return [file for file in files if file.path not in replaced]


def compact(log: Path, until: date, now: datetime | None = None) -> Compaction:
    """Merge the days before ``until`` of one topic's log, and remove what earlier runs have replaced an hour ago.

    Workers may be writing to it and other compactions may be at it.

    Args:
        log: folder of the topic, such as ``var/events/transactions``.
        now: None for the wall clock.
    """
    done = Compaction()
    old_ns = int(((now or datetime.now(UTC)) - GRACE).timestamp() * 1e9)
    for folder in sorted(log.glob("day=*")):
        _clear(folder, old_ns, done)
        before = current_files(folder)
        done.files += len(before)
        if folder.name < f"day={until}":
            by_partition: dict[int, list[LogFile]] = defaultdict(list)
            for file in before:
                by_partition[file.partition].append(file)
            for files in by_partition.values():
                if len(files) > 1:
                    with suppress(FileNotFoundError):  # another compaction was faster: they are replaced and gone
                        _merge(folder, files)
        done.merged_files += len(current_files(folder))
        done.replaced += len(_replaced_among(_files(folder)))
    return done


def _files(folder: Path) -> list[LogFile]:
    return sorted(file for path in folder.glob("[0-9]*.parquet") if (file := LogFile.parse(path)))


def _replaced_among(files: Sequence[LogFile]) -> dict[Path, Path]:
    """Files that another one covers, with the one that does."""
    replaced: dict[Path, Path] = {}
    widest: LogFile | None = None
    for file in sorted(files, key=lambda file: (file.partition, file.first, -file.last)):
        if widest is not None and widest.covers(file):
            replaced[file.path] = widest.path
        else:
            widest = file
    return replaced


def _clear(folder: Path, old_ns: int, done: Compaction) -> None:
    """Remove files that were replaced before ``old_ns``, and hidden ones that a killed compaction left."""
    for path, by in _replaced_among(_files(folder)).items():
        if _changed_ns(by) < old_ns:
            path.unlink(missing_ok=True)
            done.removed += 1
    for path in folder.glob(_HIDDEN):
        if _changed_ns(path) < old_ns:
            path.unlink(missing_ok=True)


def _changed_ns(path: Path) -> int:
    """When a file got its name (or later), which its time of modification does not tell."""
    try:
        return path.stat().st_ctime_ns
    except FileNotFoundError:  # another compaction has replaced this one, too: wait for the next run
        return 1 << 63


def _merge(folder: Path, files: Sequence[LogFile]) -> None:
    first, last = files[0], files[-1]
    hidden = folder / f".merged-{first.partition}-{uuid.uuid4().hex[:12]}.partial"
    schema = pa.unify_schemas([pq.read_schema(file.path) for file in files])
    try:
        with hidden.open("wb") as target:
            with pq.ParquetWriter(target, schema, compression="zstd") as writer:
                for table in _tables(files, schema):
                    writer.write_table(table, row_group_size=_ROW_GROUP)
            target.flush()
            os.fsync(target.fileno())
        with suppress(FileExistsError):  # another compaction has merged the very same
            os.link(hidden, folder / f"{first.partition}-{first.first:012d}-{last.last:012d}.parquet")
        sync_folder(folder)  # before anything that it replaces is removed
    finally:
        hidden.unlink(missing_ok=True)


def _tables(files: Iterable[LogFile], schema: pa.Schema) -> Iterator[pa.Table]:
    """The rows in the order of their offsets, in tables of one row group."""
    waiting: list[pa.Table] = [schema.empty_table()]
    rows = 0
    for file in files:
        with pq.ParquetFile(file.path) as source:
            for batch in source.iter_batches(_ROW_GROUP):
                waiting.append(pa.Table.from_batches([batch]))
                rows += batch.num_rows
                if rows >= _ROW_GROUP:
                    yield pa.concat_tables(waiting, promote_options="default").combine_chunks()
                    waiting, rows = [schema.empty_table()], 0
    yield pa.concat_tables(waiting, promote_options="default").combine_chunks()
