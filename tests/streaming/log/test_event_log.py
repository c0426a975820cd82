"""The event log holds each offset once, whoever writes it and wherever a writer dies."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.dataset as ds
import pytest

from infra.base.calendar import DAY_MICROS
from streaming.log.event_log import PURCHASE_COLUMNS, EventLog, PartitionLog, Row
from tests.streaming.worlds import DAY


def row(event_id: str, day: int = DAY) -> Row:
    return event_id, day * DAY_MICROS, day, "anna", "0108775015", 25_400, 2


def logged(folder: Path) -> list[str]:
    files = sorted(map(str, folder.glob("day=*/*.parquet")))
    return sorted(ds.dataset(files).to_table().column("event_id").to_pylist()) if files else []


def test_files_lie_by_day_and_tell_partition_and_offsets(tmp_path: Path) -> None:
    log = EventLog(tmp_path, PURCHASE_COLUMNS)
    assert log.begin(3, 1200) == 1200
    assert log.append(3, 1200, 1874, [row("a"), row("b", DAY + 1), row("c")])
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("day=*/*")) == [
        "day=2020-09-20/3-000000001200-000000001873.parquet",
        "day=2020-09-21/3-000000001200-000000001873.parquet",
    ]
    assert log.position(3) == 1874
    table = ds.dataset(tmp_path / "day=2020-09-20").to_table()
    assert table.schema == PURCHASE_COLUMNS
    assert table.column("event_id").to_pylist() == ["a", "c"]
    assert log.first_offset_from(3, date(2020, 9, 21)) == 1200
    assert log.first_offset_from(3, date(2020, 9, 22)) is None


def test_of_two_writers_at_the_same_offset_one_succeeds(tmp_path: Path) -> None:
    zombie, owner = (PartitionLog(EventLog(tmp_path, PURCHASE_COLUMNS), 0, 0) for _ in range(2))
    zombie.take([(0, row("a")), (1, row("b"))], 2)
    owner.take([(0, row("a")), (1, row("b")), (2, row("c"))], 3)
    assert owner.flush() == 3
    zombie.take([(2, row("c")), (3, row("d"))], 4)
    assert zombie.flush() == 1  # only what the owner has not logged
    assert logged(tmp_path) == ["a", "b", "c", "d"]
    assert not list(tmp_path.glob("day=*/.*"))


def test_a_writer_that_slept_very_long_changes_nothing(tmp_path: Path) -> None:
    log = EventLog(tmp_path, PURCHASE_COLUMNS)
    for offset in range(150):
        log.append(0, offset, offset + 1, [row(f"e{offset}")])
    assert not log.append(0, 3, 9, [row("e3")])
    assert len(logged(tmp_path)) == 150


@pytest.mark.parametrize("dies_at", range(1, 4))
def test_whoever_takes_over_finishes_or_undoes_what_a_dead_writer_began(
    tmp_path: Path, dies_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = EventLog(tmp_path, PURCHASE_COLUMNS)
    steps = iter(range(1, 100))

    class Died(BaseException):
        pass

    def dying(step):  # type: ignore[no-untyped-def]
        def run(*arguments, **named):  # type: ignore[no-untyped-def]
            if next(steps) == dies_at:
                raise Died
            return step(*arguments, **named)

        return run

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", dying(Path.rename))  # two renames; before them the commit is made by a link
        patched.setattr("os.link", dying(__import__("os").link))
        with pytest.raises(Died):
            log.append(0, 0, 2, [row("a"), row("b", DAY + 1)])
    position = EventLog(tmp_path, PURCHASE_COLUMNS).position(0)
    if dies_at == 1:  # before the commit: nothing has happened
        assert position is None
        assert logged(tmp_path) == []
    else:
        assert position == 2
        assert logged(tmp_path) == ["a", "b"]
