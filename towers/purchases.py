"""The purchases table as arrays, and which of its days are fit to learn from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from infra.errors import UserError
from serving.retrieval.purchase_log import PurchaseLog

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
    where a few customers' history becomes the whole shop, they would teach that popularity means nothing.

    Args:
        before: days since 1970-01-01; training days are earlier.
        limit: at most so many.
        customers_per_day: how many of a day's customers are taken at most. The days taken have MOST_CASES between them
            at most, but are two at least.

    Raises:
        UserError: no day is left.
    """
    counts = _purchases_per_day(purchases.before(before))
    days = np.flatnonzero(counts)
    window = np.array([counts[max(day - 3, 0) : day].sum() for day in days])
    fit = (window >= FILLED_WINDOW_SHARE * counts[days]) & (counts[days] >= MIN_DAY_SHARE * counts.max(initial=0))
    chosen = [int(day) for day in days[fit]][-limit:]
    cases = np.cumsum([min(_customers(purchases, day), customers_per_day) for day in reversed(chosen)])
    taken = max(int(np.searchsorted(cases, MOST_CASES, side="right")), 2)
    chosen = chosen[-taken:]
    if not chosen:
        raise UserError(
            f"no day before day {before} has purchases and three filled days before it; train on a later --as-of"
        )
    return chosen


def _customers(purchases: PurchaseLog, day: int) -> int:
    start, stop = np.searchsorted(purchases.day, [day, day + 1])
    return np.unique(purchases.customer[start:stop]).size


def _purchases_per_day(purchases: PurchaseLog) -> npt.NDArray[np.int64]:
    return np.bincount(purchases.day) if len(purchases) else np.zeros(0, np.int64)
