"""From tables to offline tables: one Parquet file per feature view, as ``vitrine features`` writes them."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import ibis
from ibis.expr.types import Table

from feature_repo.batch.article_activity import article_activity
from feature_repo.batch.article_catalog import article_catalog
from feature_repo.batch.article_sales import article_sales
from feature_repo.batch.as_of import last_day_known, refuse_future
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
    ENTITIES,
    View,
)
from infra.base.progress import track
from infra.base.settings import Settings

PURCHASES_PER_PART = 2_000_000


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
        UserError: the purchase files have not been ingested, or nothing is known before ``as_of``.
    """
    refuse_future(as_of)
    last_day_known(settings.tables_dir, settings.event_log_dir, as_of)
    settings.offline_dir.mkdir(parents=True, exist_ok=True)
    with duckdb_engine(settings.offline_dir) as engine:
        purchases = read_purchases(engine, settings.tables_dir, settings.event_log_dir, as_of)
        customers = engine.read_parquet(str(settings.tables_dir / "customers.parquet"))
        articles = engine.read_parquet(str(settings.tables_dir / "articles.parquet"))
        parts = _parts(purchases)
        tables: list[tuple[View, list[Table]]] = [
            (CUSTOMER_PROFILE, [customer_profile(customers)]),
            (CUSTOMER_HISTORY, [customer_history(part, snapshots_from, as_of) for part in parts["customer"]]),
            (CUSTOMER_ACTIVITY_30D, [customer_activity(part, snapshots_from, as_of) for part in parts["customer"]]),
            (ARTICLE_CATALOG, [article_catalog(articles)]),
            (ARTICLE_SALES, [article_sales(part, customers, snapshots_from, as_of) for part in parts["article"]]),
            (ARTICLE_ACTIVITY_30D, [article_activity(part, snapshots_from, as_of) for part in parts["article"]]),
            (ARTICLE_IMAGE, [_image_embeddings(engine, settings.images_dir, articles)]),
            (ARTICLE_AVAILABILITY, [empty_rows(ARTICLE_AVAILABILITY, articles)]),
        ]
        steps = [(view, [offline_table(part, view) for part in tables_of_view]) for view, tables_of_view in tables]
        return {
            view.name: write_parquet(engine, offline_tables, settings.offline_dir / f"{view.name}.parquet")
            for view, offline_tables in track(steps, "compute offline tables")
        }


def _parts(purchases: Table) -> dict[str, list[Table]]:
    """By entity: the purchases in parts small enough for the engine's memory, each entity wholly in one of them."""
    count = 1 + int(purchases.count().execute()) // PURCHASES_PER_PART
    if count == 1:
        return {entity: [purchases] for entity in ENTITIES}
    return {
        entity: [purchases.filter(purchases[key].hash().abs() % count == part) for part in range(count)]
        for entity, (key, _) in ENTITIES.items()
    }


def _image_embeddings(engine: ibis.BaseBackend, images_dir: Path, articles: Table) -> Table:
    """Embeddings that ``vitrine images`` has written; none before it ran."""
    path = images_dir / "embeddings.parquet"
    if not path.exists():
        return empty_rows(ARTICLE_IMAGE, articles)
    return engine.read_parquet(str(path)).mutate(stamp=ALWAYS)
