"""The purchases table as arrays, and which of its days are fit to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from infra.base.calendar import date_of
from infra.base.errors import UserError
from towers.data.purchase_log import PurchaseLog

FILLED_WINDOW_SHARE = 0.5
MIN_DAY_SHARE = 0.05
MOST_CASES = 600_000
"""Customers on all training days together, as many as 24 GB of memory take with ease."""


def read_purchases(tables_dir: Path, article_ids: Sequence[str]) -> PurchaseLog:
    """Read all purchases of known articles, oldest first.

    Args:
        tables_dir: holds ``purchases.parquet``.
        article_ids: in index order.

    Raises:
        UserError: the table is missing.
    """
    path = tables_dir / "purchases.parquet"
    if not path.is_file():
        raise UserError(f"{path} is missing; write it with `vitrine ingest DATA_DIR`")
    columns = duckdb.execute(
        "WITH positions AS (SELECT unnest($ids) AS article_id, unnest(range(len($ids))) AS position) "
        "SELECT dense_rank() OVER (ORDER BY customer_id) - 1 AS customer, position, "
        "CAST(day - DATE '1970-01-01' AS INTEGER) AS day "
        "FROM read_parquet($path) JOIN positions USING (article_id) ORDER BY occurred_at, event_id",
        {"ids": list(article_ids), "path": str(path)},
    ).fetchnumpy()
    return PurchaseLog(*(np.asarray(columns[name], np.int32) for name in ("customer", "position", "day")))


def log_numbers(tables_dir: Path, article_ids: Sequence[str], customer_ids: Sequence[str]) -> npt.NDArray[np.int32]:
    """How ``read_purchases`` of the same articles numbers some customers, -1 for those without purchases."""
    rows = duckdb.execute(
        "SELECT customer_id, row_number() OVER (ORDER BY customer_id) - 1 FROM ("
        "SELECT DISTINCT customer_id FROM read_parquet($path) WHERE article_id IN (SELECT unnest($ids)))",
        {"ids": list(article_ids), "path": str(tables_dir / "purchases.parquet")},
    ).fetchall()
    numbers = dict(rows)
    return np.fromiter((numbers.get(customer, -1) for customer in customer_ids), np.int32, len(customer_ids))


def training_days(purchases: PurchaseLog, before: int, limit: int, customers_per_day: int) -> list[int]:
    """The last days that show how the shop works, oldest first.

    Left out are days with hardly any purchases, and days whose popularity window is still empty: at a log's start, or
    where a few customers' history becomes the whole shop, they would teach that popularity means nothing. Where that
    would leave less than two, all days with purchases are taken: a young shop has no better ones.

    Args:
        before: days since 1970-01-01; training days are earlier.
        limit: at most so many.
        customers_per_day: how many of a day's customers are taken at most. The days taken have MOST_CASES between them
            at most, but are two at least.

    Raises:
        UserError: there are less than two days with purchases.
    """
    counts = _purchases_per_day(purchases.before(before))
    days = np.flatnonzero(counts)
    if len(days) < 2:
        raise UserError(_too_few_days(purchases, days, before))
    window = np.array([counts[max(day - 3, 0) : day].sum() for day in days])
    fit = (window >= FILLED_WINDOW_SHARE * counts[days]) & (counts[days] >= MIN_DAY_SHARE * counts.max(initial=0))
    chosen = (days[fit] if fit.sum() >= 2 else days)[-limit:].tolist()
    cases = np.cumsum([min(_customers(purchases, day), customers_per_day) for day in reversed(chosen)])
    taken = max(int(np.searchsorted(cases, MOST_CASES, side="right")), 2)
    return chosen[-taken:]


def day_name(day: int) -> str:
    """The ISO date of a number of days since 1970-01-01."""
    return date_of(day).isoformat()


def _too_few_days(purchases: PurchaseLog, days: npt.NDArray[np.int64], before: int) -> str:
    need = "training takes purchases of two days at least, one to learn from and one to measure on"
    if len(days):
        return f"all purchases before {day_name(before)} are of {day_name(days[0])}; {need}"
    if len(purchases):
        first = day_name(purchases.day[0])
        return f"there are no purchases before {day_name(before)}, the first are of {first}; {need}"
    return f"there are no purchases of articles in the catalogue; {need}"


def _customers(purchases: PurchaseLog, day: int) -> int:
    start, stop = np.searchsorted(purchases.day, [day, day + 1])
    return np.unique(purchases.customer[start:stop]).size


def _purchases_per_day(purchases: PurchaseLog) -> npt.NDArray[np.int64]:
    return np.bincount(purchases.day) if len(purchases) else np.zeros(0, np.int64)
