"""``vitrine demo`` and ``vitrine up``."""

from __future__ import annotations

from pathlib import Path

import click

from feature_repo.commands import REJECT_FILE, TIME_ZONE
from infra.base.settings import Settings

DATA = click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder in the layout of Kaggle's H&M files.  [default: a synthetic shop]",
)


@click.command()
@DATA
@REJECT_FILE
@TIME_ZONE
def demo(data: Path | None, reject_file: Path | None, time_zone: str) -> None:
    """Tell the whole story: files, features, models, services, a purchase that changes an answer, a rollout."""
    from infra.demo.story import tell

    tell(Settings.from_environment(), data, reject_file, time_zone)


@click.command()
@DATA
@REJECT_FILE
@TIME_ZONE
def up(data: Path | None, reject_file: Path | None, time_zone: str) -> None:
    """Build what is missing and keep serving until Ctrl-C.

    The first time files are read, features computed and a release trained; afterwards it goes on where it stopped.
    """
    from infra.demo.serving import keep_serving

    keep_serving(Settings.from_environment(), data, reject_file, time_zone)
