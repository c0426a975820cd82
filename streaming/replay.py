"""Sends purchase files into Kafka, in their order, at a chosen speed: history as if it happened now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.compute as pc
import pyarrow.parquet as pq

from feature_repo.events.rules import purchase_event
from infra.base.errors import UserError
from infra.base.progress import progress_bar
from streaming.events.producer import PurchaseProducer

COLUMNS = ["event_id", "occurred_at", "customer_id", "article_id", "price_micros", "sales_channel_id"]
_BATCH_ROWS = 5_000


@dataclass(frozen=True)
class Replayed:
    """How many purchases were sent and acknowledged, and in which time."""

    purchases: int
    seconds: float


def replay(
    purchases_path: Path,
    producer: PurchaseProducer,
    *,
    speed: float | None,
    start: date | None = None,
    end: date | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Replayed:
    """Send the purchases dated from ``start`` to before ``end``.

    Args:
        purchases_path: ``purchases.parquet`` as ``vitrine ingest`` writes it.
        speed: purchases per second; None for as fast as Kafka takes them.

    Raises:
        UserError: some were not acknowledged.
    """
    started = clock()
    failures: list[Exception] = []
    sent = 0
    with progress_bar("sending purchases", _rows(purchases_path, start, end)) as advance:
        for rows in _batches(purchases_path, start, end):
            for event_id, occurred_at_us, customer_id, article_id, price_micros, channel in zip(*rows, strict=True):
                if speed is not None:
                    ahead = sent / speed - (clock() - started)
                    if ahead > 0.001:
                        sleep(ahead)
                event = purchase_event(event_id, occurred_at_us, customer_id, article_id, price_micros, channel)
                producer.send_soon(customer_id, event, occurred_at_us, failures.append)
                sent += 1
            advance(len(rows[0]))
            if failures:
                break
        producer.flush()
    if failures:
        raise UserError(
            f"{len(failures)} of {sent} purchases were not acknowledged by Kafka, the first by {failures[0]!r}; "
            "send them again: those that arrived are not counted twice"
        )
    return Replayed(sent, clock() - started)


@contextmanager
def purchases_file(
    source: Path, tables_dir: Path, reject_file: Path | None = None, time_zone: str = "UTC"
) -> Iterator[Path]:
    """The purchases of ``source``: a Parquet table, a folder of tables, or a folder of Kaggle's files.

    Args:
        reject_file, time_zone: as in ``vitrine ingest``, for Kaggle's files.

    Raises:
        UserError: it is none of these.
    """
    if source.is_file():
        yield source
    elif (source / "purchases.parquet").exists():
        yield source / "purchases.parquet"
    elif any(source.glob("transactions_train.*")):
        from feature_repo.files.purchase_files import ingest

        tables_dir.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=tables_dir, prefix="replay-") as folder:
            ingest(source, Path(folder), reject_file=reject_file, time_zone=time_zone)
            yield Path(folder) / "purchases.parquet"
    else:
        raise UserError(
            f"{source} holds no purchases; expected purchases.parquet (vitrine ingest writes one below var/tables) or "
            "a folder with transactions_train.csv"
        )


def _in_range(start: date | None, end: date | None) -> pc.Expression | None:
    bounds = []
    if start is not None:
        bounds.append(pc.field("occurred_at") >= datetime(start.year, start.month, start.day, tzinfo=UTC))
    if end is not None:
        bounds.append(pc.field("occurred_at") < datetime(end.year, end.month, end.day, tzinfo=UTC))
    if not bounds:
        return None
    return bounds[0] if len(bounds) == 1 else bounds[0] & bounds[1]


def _rows(path: Path, start: date | None, end: date | None) -> int:
    import pyarrow.dataset as ds

    return int(ds.dataset(path).count_rows(filter=_in_range(start, end)))


def _batches(path: Path, start: date | None, end: date | None) -> Iterator[list[list]]:
    """Columns of a few thousand purchases at a time, times in microseconds; a day's order is the file's."""
    import pyarrow as pa

    for batch in pq.ParquetFile(path).iter_batches(_BATCH_ROWS, columns=COLUMNS):
        table = pa.Table.from_batches([batch])
        wanted = _in_range(start, end)
        if wanted is not None:
            table = table.filter(wanted)
        if table.num_rows:
            micros = table.column("occurred_at").cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())
            table = table.set_column(table.schema.get_field_index("occurred_at"), "occurred_at", micros)
            yield [table.column(name).to_pylist() for name in COLUMNS]
