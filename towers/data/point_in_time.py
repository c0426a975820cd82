"""Feast's point-in-time joins, as snapshots: the only file of this room that talks to Feast.

A row for day X asks Feast for the values known at X 00:00 UTC, and Feast's rows stamped X hold purchases before X only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from feature_repo.schema import ARTICLE_ACTIVITY_30D, ARTICLE_CATALOG, ARTICLE_IMAGE, ARTICLE_SALES
from infra.base.calendar import DAY_MICROS, DAY_SECONDS
from serving.ranking.query_features import CUSTOMER_REFERENCES
from serving.retrieval.articles import ArticleTable, float32_remainders, without_empty_windows
from serving.retrieval.customer import Customer
from towers.data.snapshot import Snapshot
from towers.data.targets import Targets

_LAST_SALE = ARTICLE_ACTIVITY_30D.references()[-1]
_PRICES = (f"{ARTICLE_ACTIVITY_30D.name}:mean_price_micros", f"{ARTICLE_SALES.name}:price_mean_micros")


class PointInTime:
    """What was known on the morning of past days."""

    def __init__(self, store: Any, tables_dir: Path) -> None:
        """Args:
        store: ``feast.FeatureStore`` with this project's views.
        tables_dir: ``purchases.parquet`` tells who bought what on a day.
        """
        self._store = store
        self._purchases = tables_dir / "purchases.parquet"

    def snapshots(
        self, articles: ArticleTable, days: Sequence[int], customers_per_day: int, seed: int
    ) -> list[Snapshot]:
        """The mornings of some days, with customers who bought on them.

        Args:
            articles: the release's articles; their numbers are replaced by those of each day.
            days: days since 1970-01-01.
            customers_per_day: at most so many, drawn by ``seed``.
        """
        return self.snapshots_of(articles, days, [self._buyers(day, customers_per_day, seed) for day in days])

    def snapshots_of(
        self, articles: ArticleTable, days: Sequence[int], buyers: Sequence[Mapping[str, Sequence[str]]]
    ) -> list[Snapshot]:
        """The mornings of some days, with customers of whom is known what they then bought.

        Args:
            buyers: one mapping a day, customer id -> article ids; articles that the table does not hold are left out.
        """
        tables = self.article_tables(articles, days)
        values = self._customer_values([customer for day in buyers for customer in day], _repeat(days, buyers))
        snapshots, start = [], 0
        for day, bought, table in zip(days, buyers, tables, strict=True):
            known = values[start : start + len(bought)]
            customers = [
                Customer.from_values(customer_id, row, table, day)
                for customer_id, row in zip(bought, known, strict=True)
            ]
            targets = Targets.from_lists([[p for p in table.positions(ids) if p >= 0] for ids in bought.values()])
            snapshots.append(Snapshot(day, table, customers, targets))
            start += len(bought)
        return snapshots

    def article_tables(self, articles: ArticleTable, days: Sequence[int]) -> list[ArticleTable]:
        """The article table with sales and activity as of the morning of each day."""
        sales, activity = ARTICLE_SALES.references(), ARTICLE_ACTIVITY_30D.references()
        size = len(articles)
        ids = np.tile(np.asarray(articles.ids, dtype=object), len(days))
        rows = self._join("article_id", ids, np.repeat(days, size), [*sales, *activity])
        columns = {name: _numbers(rows[name]) for name in [*sales, *activity]}
        columns[_LAST_SALE] //= DAY_MICROS
        tables = []
        for index in range(len(days)):
            part = slice(index * size, (index + 1) * size)
            tables.append(
                replace(
                    articles,
                    sales=np.stack([columns[name][part] for name in sales], axis=1).astype(np.float32),
                    activity=without_empty_windows(
                        np.stack([columns[name][part] for name in activity], axis=1).astype(np.float32)
                    ),
                    price_remainders=np.stack([float32_remainders(columns[name][part]) for name in _PRICES], axis=1),
                )
            )
        return tables

    def catalogue(self, article_ids: Sequence[str], day: int) -> dict[str, list[str | None]]:
        """The metadata of articles as of a day, column -> values in the order of ``article_ids``."""
        references = ARTICLE_CATALOG.references()
        rows = self._join("article_id", np.asarray(article_ids, object), np.full(len(article_ids), day), references)
        return {reference.split(":")[1]: rows[reference].to_pylist() for reference in references}

    def images(self, article_ids: Sequence[str], day: int, dim: int) -> npt.NDArray[np.float32]:
        """Image embeddings as of a day, [n, dim]; zeros for articles without one."""
        reference = ARTICLE_IMAGE.references()[0]
        rows = self._join("article_id", np.asarray(article_ids, object), np.full(len(article_ids), day), [reference])
        column = rows[reference]
        images = np.zeros((len(article_ids), dim), np.float32)
        present = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False))
        if len(present):
            flat = column.drop_null().combine_chunks().flatten().to_numpy(zero_copy_only=False)
            images[present] = flat.reshape(len(present), -1)[:, :dim]
        return images

    def _buyers(self, day: int, limit: int, seed: int) -> dict[str, list[str]]:
        rows = duckdb.execute(
            "SELECT customer_id, list(DISTINCT article_id) FROM read_parquet($path) "
            "WHERE day = DATE '1970-01-01' + CAST($day AS INTEGER) GROUP BY customer_id ORDER BY customer_id",
            {"path": str(self._purchases), "day": day},
        ).fetchall()
        if len(rows) > limit:
            chosen = np.random.default_rng((seed, day)).choice(len(rows), limit, replace=False)
            rows = [rows[row] for row in np.sort(chosen)]
        return dict(rows)

    def _customer_values(self, customer_ids: Sequence[str], days: npt.NDArray[np.int64]) -> list[Mapping[str, Any]]:
        ids = np.asarray(customer_ids, dtype=object)
        rows = self._join("customer_id", ids, days, list(CUSTOMER_REFERENCES))
        columns = [rows[name].to_pylist() for name in CUSTOMER_REFERENCES]
        return [dict(zip(CUSTOMER_REFERENCES, row, strict=True)) for row in zip(*columns, strict=True)]

    def _join(
        self, key: str, ids: npt.NDArray[np.object_], days: npt.NDArray[np.int64], references: list[str]
    ) -> dict[str, pa.ChunkedArray]:
        """Reference -> column, in the order of ``ids``."""
        entities = pd.DataFrame(
            {
                key: ids,
                # Whole microseconds: DuckDB refuses nanosecond timestamps with a zone.
                "event_timestamp": pd.to_datetime(days * DAY_SECONDS, unit="s", utc=True).astype("datetime64[us, UTC]"),
                "row_number": np.arange(len(ids)),
            }
        )
        job = self._store.get_historical_features(entity_df=entities, features=references, full_feature_names=True)
        table = job.to_arrow().sort_by("row_number")
        if table.num_rows != len(ids):
            raise RuntimeError(f"Feast returned {table.num_rows} rows for {len(ids)} of {key}; expected one each")
        return {reference: table[reference.replace(":", "__")] for reference in references}


def _repeat(days: Sequence[int], buyers: Sequence[Mapping[str, object]]) -> npt.NDArray[np.int64]:
    return np.repeat(np.asarray(days, np.int64), [len(day) for day in buyers])


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    """The column with NaN for nulls, to be written to: of one without nulls, Arrow lends its own memory, read-only."""
    return np.array(column.cast(pa.float64()).to_numpy())
