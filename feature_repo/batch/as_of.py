"""Which days ``--as-of`` may name: none that is still to come, and none before anything was known."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import duckdb

from feature_repo.contracts import TRANSACTIONS
from feature_repo.files.purchase_dates import possible_days
from feature_repo.files.staging import literal
from infra.base.clock import wall_clock
from infra.base.errors import UserError


def refuse_future(as_of: date, today: date | None = None) -> None:
    """Features of a day to come would be newer than all that follow until then.

    Args:
        today: None for the machine's date.

    Raises:
        UserError: ``as_of`` is later than the morning after the last day on which something can have been bought.
    """
    latest = possible_days(today or wall_clock().date()).last + timedelta(days=1)
    if as_of > latest:
        raise UserError(f"--as-of {as_of} is still to come; give {latest} or an earlier day")


def last_day_known(tables_dir: Path, event_log_dir: Path, as_of: date) -> date:
    """The day of the newest purchase dated before ``as_of``, of the files and of the event log.

    Raises:
        UserError: there is none, or the purchase files have not been ingested.
    """
    path = tables_dir / "purchases.parquet"
    if not path.exists():
        raise UserError(f"{path} is missing; run `vitrine ingest DATA_DIR` first")
    days = f"SELECT day FROM read_parquet({literal(path)})"
    event_log = event_log_dir / TRANSACTIONS
    if any(event_log.glob("**/*.parquet")):
        days += (
            f" UNION ALL SELECT CAST(occurred_at AS DATE) FROM read_parquet({literal(event_log / '**' / '*.parquet')})"
        )
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        row = connection.execute(
            f"SELECT min(day), max(day) FILTER (day < $1), max(day) FROM ({days}) AS known(day)", [as_of]
        ).fetchone()
    assert row is not None
    newest: date | None
    first, newest, last = row
    if newest is None:
        raise UserError(
            f"no purchase is known before --as-of {as_of}; "
            f"give a day from {first + timedelta(days=1)} to {last + timedelta(days=1)}"
        )
    return newest
