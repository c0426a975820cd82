"""Subcommands of this room: ``ingest``, ``features`` and ``materialize``."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click

from infra.base.errors import UserError
from infra.base.settings import Settings

DAY = click.DateTime(["%Y-%m-%d"])
REJECT_FILE = click.option(
    "--reject-file", type=click.Path(path_type=Path, dir_okay=False), help="Write bad rows here and go on."
)
TIME_ZONE = click.option(
    "--time-zone", default="UTC", show_default=True, metavar="AREA/CITY",
    help="Whose days purchases belong to that are dated with a time zone.",
)  # fmt: skip


@click.command()
@click.argument("data_dir", type=click.Path(path_type=Path, file_okay=False))
@REJECT_FILE
@TIME_ZONE
@click.option("--until", type=DAY, help="Keep only purchases dated before this day.")
def ingest(data_dir: Path, reject_file: Path | None, time_zone: str, until: datetime | None) -> None:
    """Validate the purchase files in DATA_DIR and write them as Parquet tables.

    DATA_DIR holds articles.csv, customers.csv and transactions_train.csv (or .parquet) in the layout of Kaggle's H&M
    competition; CSV files may be packed as .gz or .zip. Rows are counted from 1, the header not included.
    """
    from feature_repo.files.purchase_files import ingest as ingest_files

    settings = Settings.from_environment()
    files = ingest_files(
        data_dir,
        settings.tables_dir,
        reject_file=reject_file,
        time_zone=time_zone,
        until=until.date() if until else None,
    )
    click.echo(
        f"{files.articles:,} articles, {files.customers:,} customers with a profile, {files.purchases:,} purchases "
        f"by {files.buyers:,} customers ({files.buyers_without_profile:,} without a profile), "
        f"{files.first_day} to {files.last_day}"
    )
    for line in files.lines(reject_file):
        click.echo(line)


@click.command()
@click.option("--as-of", type=DAY, required=True, help="Use purchases dated before this day.")
@click.option("--snapshots-from", type=DAY, help="Keep the state as of this day and later changes only.")
def features(as_of: datetime, snapshots_from: datetime | None) -> None:
    """Compute the offline tables of all feature views, correct in time.

    Reads what `vitrine ingest` wrote and, if there is one, the event log of `vitrine stream`.
    """
    from feature_repo.batch.as_of import last_day_known
    from feature_repo.batch.pipeline import build_offline_tables
    from feature_repo.schema import WINDOW_DAYS

    settings = Settings.from_environment()
    last_day = last_day_known(settings.tables_dir, settings.event_log_dir, as_of.date())
    if as_of.date() - last_day > timedelta(days=WINDOW_DAYS):
        click.echo(
            f"the newest purchase is of {last_day}: there is no activity in the {WINDOW_DAYS} days to {as_of:%Y-%m-%d}"
        )
    rows = build_offline_tables(settings, as_of.date(), snapshots_from.date() if snapshots_from else None)
    for view, count in rows.items():
        click.echo(f"{view:24}{count:>12,} rows")


@click.command()
@click.option("--as-of", type=DAY, required=True, help="Load what was known at the start of this day.")
@click.option("--views", help="Names of feature views, separated by commas; all if not given.")
def materialize(as_of: datetime, views: str | None) -> None:
    """Load the online store from the offline tables, fast.

    Writes each customer's and article's latest values at or before the day, in Feast's format. Values with a newer
    event time stay as they are. `feast -c feature_repo materialize` does the same, slower.
    """
    from feature_repo.materialize import materialize as materialize_views
    from feature_repo.schema import VIEWS

    by_name = {view.name: view for view in VIEWS}
    names = [name.strip() for name in views.split(",")] if views else list(by_name)
    unknown = [name for name in names if name not in by_name]
    if unknown:
        raise UserError(f"--views holds {', '.join(map(repr, unknown))}; expected names out of {', '.join(by_name)}")
    loads = materialize_views(Settings.from_environment(), as_of.date(), [by_name[name] for name in names])
    for load in loads:
        click.echo(f"{load.view:24}{load.rows:>12,} rows in {load.seconds:6.1f} s")
    rows, seconds = sum(load.rows for load in loads), sum(load.seconds for load in loads)
    click.echo(f"{'together':24}{rows:>12,} rows in {seconds:6.1f} s, {rows / seconds if seconds else 0:,.0f} rows/s")
