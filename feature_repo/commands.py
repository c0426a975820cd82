"""Subcommands of this room: ``ingest``, ``features`` and ``materialize``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from infra.settings import Settings

DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.argument("data_dir", type=click.Path(path_type=Path, file_okay=False))
@click.option("--reject-file", type=click.Path(path_type=Path, dir_okay=False), help="Write bad rows here and go on.")
@click.option("--until", type=DAY, help="Keep only purchases dated before this day.")
def ingest(data_dir: Path, reject_file: Path | None, until: datetime | None) -> None:
    """Validate the purchase files in DATA_DIR and write them as Parquet tables.

    DATA_DIR holds articles.csv, customers.csv and transactions_train.csv (or .parquet) in the layout of Kaggle's H&M
    competition. Rows are counted from 1, the header not included.
    """
    from feature_repo.batch.purchase_files import ingest as ingest_files

    settings = Settings.from_environment()
    files = ingest_files(data_dir, settings.tables_dir, reject_file=reject_file, until=until.date() if until else None)
    click.echo(
        f"{files.articles:,} articles, {files.customers:,} customers with a profile, {files.purchases:,} purchases "
        f"by {files.buyers:,} customers ({files.buyers_without_profile:,} without a profile), "
        f"{files.first_day} to {files.last_day}"
    )
    for name, count in files.rejected.items():
        click.echo(f"{name}: {count:,} bad rows set aside in {reject_file}")


@click.command()
@click.option("--as-of", type=DAY, required=True, help="Use purchases dated before this day.")
@click.option("--snapshots-from", type=DAY, help="Keep the state as of this day and later changes only.")
def features(as_of: datetime, snapshots_from: datetime | None) -> None:
    """Compute the offline tables of all feature views, correct in time.

    Reads what `vitrine ingest` wrote and, if there is one, the event log of `vitrine stream`.
    """
    from feature_repo.batch.pipeline import build_offline_tables

    settings = Settings.from_environment()
    rows = build_offline_tables(settings, as_of.date(), snapshots_from.date() if snapshots_from else None)
    for view, count in rows.items():
        click.echo(f"{view:24}{count:>12,} rows")
