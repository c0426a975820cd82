"""Compaction leaves every event in the log once, beside writers and readers, and wherever it is killed."""

from __future__ import annotations

import os
import threading
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from feature_repo.batch.purchases import read_purchases
from infra.base.settings import Settings
from streaming.commands import stream
from streaming.log import compaction
from streaming.log.compaction import GRACE, Compaction, compact, current_files
from streaming.log.event_log import PURCHASE_COLUMNS, EventLog
from tests.streaming.log.test_event_log import row
from tests.streaming.worlds import DAY

UNTIL = date(2020, 9, 22)  # after both days of the log


def later() -> datetime:
    """When files written until now have outlived their grace."""
    return datetime.now(UTC) + GRACE + timedelta(minutes=1)


def filled_log(folder: Path, appends: int = 6) -> EventLog:
    """Two partitions, two days; every append has an event of each day."""
    log = EventLog(folder, PURCHASE_COLUMNS)
    for partition in (0, 1):
        log.begin(partition, 100)
        for number in range(appends):
            first = 100 + 2 * number
            rows = [row(f"{partition}-{first}", DAY), row(f"{partition}-{first + 1}", DAY + 1)]
            assert log.append(partition, first, first + 2, rows)
    return log


def events(folder: Path) -> list[str]:
    """What the current files hold, in the order of partition and offset, day by day."""
    return [
        event_id
        for day in sorted(folder.glob("day=*"))
        for file in current_files(day)
        for event_id in pq.read_table(file.path).column("event_id").to_pylist()
    ]


def all_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("day=*/*") if path.is_file())


def test_a_day_becomes_one_file_per_partition_with_the_same_rows(tmp_path: Path) -> None:
    log = filled_log(tmp_path)
    before = events(tmp_path)
    assert compact(tmp_path, UNTIL) == Compaction(files=24, merged_files=4, removed=0, replaced=24)
    assert events(tmp_path) == before
    assert compact(tmp_path, UNTIL, later()) == Compaction(files=4, merged_files=4, removed=24, replaced=0)
    assert [str(path.relative_to(tmp_path)) for path in all_files(tmp_path)] == [
        f"day=2020-09-2{day}/{partition}-000000000100-000000000111.parquet" for day in (0, 1) for partition in (0, 1)
    ]
    assert events(tmp_path) == before
    assert pq.read_schema(all_files(tmp_path)[0]) == PURCHASE_COLUMNS
    assert log.position(0) == 112
    assert log.first_offset_from(0, date(2020, 9, 21)) == 100
    assert log.first_offset_from(0, UNTIL) is None


def test_days_from_the_limit_on_stay_as_they_are(tmp_path: Path) -> None:
    filled_log(tmp_path)
    compact(tmp_path, date(2020, 9, 21))
    assert len(current_files(tmp_path / "day=2020-09-20")) == 2
    assert len(current_files(tmp_path / "day=2020-09-21")) == 12


def test_replaced_files_stay_for_whoever_reads_them(tmp_path: Path) -> None:
    filled_log(tmp_path)
    listed = all_files(tmp_path)
    compact(tmp_path, UNTIL)
    compact(tmp_path, UNTIL)
    assert all(path.exists() for path in listed)


def test_batch_counts_each_purchase_once_while_it_is_in_two_files(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path)
    log = settings.event_log_dir / "transactions"
    filled_log(log)
    settings.tables_dir.mkdir()
    pq.write_table(PURCHASE_COLUMNS.empty_table(), settings.tables_dir / "purchases.parquet")

    def batch() -> list[str]:
        purchases = read_purchases(ibis.duckdb.connect(), settings.tables_dir, settings.event_log_dir, UNTIL)
        return sorted(purchases.event_id.execute())

    before = batch()
    compact(log, UNTIL)
    assert len(all_files(log)) == 28
    assert batch() == before == sorted(set(events(log)))


class Killed(BaseException):
    """Not an Exception, so that nothing cleans up behind it that a SIGKILL would not."""


@pytest.mark.parametrize("step", ["write_table", "fsync", "link", "sync_folder", "unlink"])
@pytest.mark.parametrize("after", [0, 1, 2])
def test_wherever_it_is_killed_nothing_is_lost_or_doubled(
    tmp_path: Path, step: str, after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled_log(tmp_path)
    before = events(tmp_path)
    owner: Any = {"write_table": pq.ParquetWriter, "unlink": Path, "sync_folder": compaction}.get(step, os)
    original = getattr(owner, step)
    calls = iter(range(100))

    with monkeypatch.context() as patched:

        def dying(*given: object, **named: object) -> object:
            if next(calls) >= after:
                patched.setattr(Path, "unlink", lambda *_, **__: None)  # the dead remove nothing
                raise Killed
            return original(*given, **named)

        if step == "unlink":
            compact(tmp_path, UNTIL)  # leaves files to remove
        patched.setattr(owner, step, dying)
        with pytest.raises(Killed):
            compact(tmp_path, UNTIL, later())
    assert events(tmp_path) == before
    compact(tmp_path, UNTIL, later())
    compact(tmp_path, UNTIL, later())
    assert events(tmp_path) == before
    assert len(list(tmp_path.glob("day=*/*"))) == 4  # and nothing hidden is left


def test_one_that_finds_its_files_gone_leaves_them_to_the_one_that_was_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    filled_log(tmp_path)
    before = events(tmp_path)
    read_schema = pq.read_schema

    def late(path: Path) -> pa.Schema:
        monkeypatch.undo()
        compact(tmp_path, UNTIL)
        compact(tmp_path, UNTIL, later())
        return read_schema(path)

    monkeypatch.setattr(pq, "read_schema", late)
    compact(tmp_path, UNTIL)
    assert events(tmp_path) == before
    assert len(all_files(tmp_path)) == 4


def test_writer_and_two_compactions_at_once_lose_nothing(tmp_path: Path) -> None:
    log = filled_log(tmp_path)
    stop = threading.Event()

    def keep_compacting() -> None:
        while not stop.is_set():
            compact(tmp_path, UNTIL, later())

    compactions = [threading.Thread(target=keep_compacting) for _ in range(2)]
    for thread in compactions:
        thread.start()
    for offset in range(112, 172):
        assert log.append(0, offset, offset + 1, [row(f"0-{offset}", DAY + offset % 2)])
    stop.set()
    for thread in compactions:
        thread.join()
    compact(tmp_path, UNTIL)
    compact(tmp_path, UNTIL, later())
    expected = {f"0-{offset}" for offset in range(100, 172)} | {f"1-{offset}" for offset in range(100, 112)}
    found = events(tmp_path)
    assert len(found) == len(expected)
    assert set(found) == expected
    assert len(all_files(tmp_path)) == 4
    assert log.position(0) == 172


def test_the_command_tells_what_it_did(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path)
    filled_log(settings.event_log_dir / "transactions")
    answer = CliRunner().invoke(stream, ["compact"], env=settings.to_environment())
    assert answer.exit_code == 0, answer.output
    assert answer.output == "transactions: 24 files are 4 now; 0 replaced ones removed, 24 kept for readers\n"
