"""All purchases known before a day: those of the files and those that came over Kafka, each once."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ibis
from ibis.expr.types import Table

from feature_repo.batch.engine import epoch_us
from feature_repo.contracts import TRANSACTIONS
from infra.base.calendar import DAY_MICROS, epoch_day
from infra.base.errors import UserError

COLUMNS = ("event_id", "occurred_at", "customer_id", "article_id", "price_micros", "sales_channel_id")


def read_purchases(connection: ibis.BaseBackend, tables_dir: Path, event_log_dir: Path, until: date) -> Table:
    """Purchases dated before ``until``.

    Columns: ``event_id``, ``occurred_at``, ``customer_id``, ``article_id``, ``price_micros``, ``sales_channel_id`` and
    ``day``, days since 1970-01-01. An event that is in the files and in the event log, or twice in the log (a worker
    that was killed writes again), counts once. The total order of purchases is (occurred_at, event_id).

    Raises:
        UserError: the purchase files have not been ingested.
    """
    path = tables_dir / "purchases.parquet"
    if not path.exists():
        raise UserError(f"{path} is missing; run `vitrine ingest DATA_DIR` first")
    purchases = connection.read_parquet(str(path)).select(*COLUMNS)
    event_log = event_log_dir / TRANSACTIONS
    if any(event_log.glob("**/*.parquet")):
        streamed = connection.read_parquet(str(event_log / "**" / "*.parquet")).select(*COLUMNS)
        purchases = ibis.union(purchases, streamed.cast(purchases.schema())).distinct(on="event_id", keep="first")
    purchases = purchases.mutate(day=epoch_us(purchases.occurred_at) // DAY_MICROS)
    return purchases.filter(purchases.day < epoch_day(until))
