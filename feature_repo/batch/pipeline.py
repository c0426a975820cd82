"""From tables to offline tables: one Parquet file per feature view, as ``vitrine features`` writes them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ibis
from ibis.expr.types import Table

from feature_repo.batch.article_activity import article_activity
from feature_repo.batch.article_catalog import article_catalog
from feature_repo.batch.article_sales import article_sales
from feature_repo.batch.customer_activity import customer_activity
from feature_repo.batch.customer_history import customer_history
from feature_repo.batch.customer_profile import customer_profile
from feature_repo.batch.engine import duckdb_engine, write_parquet
from feature_repo.batch.offline_table import ALWAYS, empty_rows, offline_table
from feature_repo.batch.purchases import read_purchases
from feature_repo.schema import (
    ARTICLE_ACTIVITY_30D,
    ARTICLE_AVAILABILITY,
    ARTICLE_CATALOG,
    ARTICLE_IMAGE,
    ARTICLE_SALES,
    CUSTOMER_ACTIVITY_30D,
    CUSTOMER_HISTORY,
    CUSTOMER_PROFILE,
    View,
)
from infra.progress import track
from infra.settings import Settings


def build_offline_tables(settings: Settings, as_of: date, snapshots_from: date | None = None) -> dict[str, int]:
    """Compute all offline tables from purchases dated before ``as_of``; returns rows by view.

    Rows are stamped up to and including ``as_of``. A purchase of day P is in rows stamped P + 1 and later: no row knows
    its own day.

    Args:
        settings: where tables, event log and image embeddings are, and where the offline tables go.
        as_of: the day at whose start the clock stands.
        snapshots_from: keep only what answers questions from this day on: every entity's state as of it, and all
            later changes. Keeps years of history affordable.

    Raises:
        UserError: the purchase files have not been ingested.
    """
    settings.offline_dir.mkdir(parents=True, exist_ok=True)
    with duckdb_engine(settings.offline_dir) as engine:
        purchases = read_purchases(engine, settings.tables_dir, settings.event_log_dir, as_of)
        customers = engine.read_parquet(str(settings.tables_dir / "customers.parquet"))
        articles = engine.read_parquet(str(settings.tables_dir / "articles.parquet"))
        rows: list[tuple[View, Table]] = [
            (CUSTOMER_PROFILE, customer_profile(customers)),
            (CUSTOMER_HISTORY, customer_history(purchases, snapshots_from, as_of)),
            (CUSTOMER_ACTIVITY_30D, customer_activity(purchases, snapshots_from, as_of)),
            (ARTICLE_CATALOG, article_catalog(articles)),
            (ARTICLE_SALES, article_sales(purchases, customers, snapshots_from, as_of)),
            (ARTICLE_ACTIVITY_30D, article_activity(purchases, snapshots_from, as_of)),
            (ARTICLE_IMAGE, _image_embeddings(engine, settings.images_dir, articles)),
            (ARTICLE_AVAILABILITY, empty_rows(ARTICLE_AVAILABILITY, articles)),
        ]
        return {
            view.name: write_parquet(engine, offline_table(table, view), settings.offline_dir / f"{view.name}.parquet")
            for view, table in track(rows, "compute offline tables")
        }


def _image_embeddings(engine: ibis.BaseBackend, images_dir: Path, articles: Table) -> Table:
    """Embeddings that ``vitrine images`` has written; none before it ran."""
    path = images_dir / "embeddings.parquet"
    if not path.exists():
        return empty_rows(ARTICLE_IMAGE, articles)
    return engine.read_parquet(str(path)).mutate(stamp=ALWAYS)
