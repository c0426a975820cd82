"""Subcommands of this room: ``images``, ``train``, ``evaluate`` and ``ablate``."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from infra.base.native_logs import native_logs_to
from infra.base.settings import Settings

if TYPE_CHECKING:
    from towers.evaluation.known_best import KnownBestRows

DAY = click.DateTime(["%Y-%m-%d"])
ORACLE = click.option(
    "--oracle", type=click.Path(path_type=Path, file_okay=False), help="Folder of a synthetic shop: adds its best row."
)
DAYS = click.option(
    "--days", default=60, show_default=True, type=click.IntRange(min=1), help="Train on at most so many days."
)
SEED = click.IntRange(min=0, max=2**32 - 1)


class _Quota(click.ParamType):
    """``SOURCE=N``."""

    name = "SOURCE=N"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        source, _, limit = str(value).partition("=")
        if not limit.isdecimal():
            self.fail(f"{value!r} is not a source and a number, such as similar_picture=60", param, ctx)
        return source, int(limit)


QUOTA = click.option(
    "--quota",
    "quotas",
    multiple=True,
    type=_Quota(),
    help="How many articles a candidate source may propose; 0 switches it off. May be given several times.",
)


def _native_logs_aside(command: Callable[..., None]) -> Callable[..., None]:
    """Keep the pages that TensorFlow, Feast and DuckDB write to the standard error in ``var/logs/tensorflow.log``."""

    @functools.wraps(command)
    def aside(*args: object, **options: object) -> None:
        with native_logs_to(Settings.from_environment().logs_dir / "tensorflow.log"):
            command(*args, **options)

    return aside


def _known_best(folder: Path | None) -> KnownBestRows:
    if folder is None:
        return {}
    from infra.synthetic.known_best import known_best

    return known_best(folder)


@click.command()
@click.argument("data_dir", type=click.Path(path_type=Path, file_okay=False, exists=True))
@click.option(
    "--backbone",
    default="auto",
    show_default=True,
    type=click.Choice(["auto", "resnet152", "efficientnet-lite0"]),
    help="auto: ResNet152 where its weights are at hand or can be downloaded, else EfficientNet-Lite0.",
)
@click.option(
    "--weights",
    type=click.Path(path_type=Path, dir_okay=False),
    help="ResNet152's weights without top (.h5 of Keras applications) instead of the download.",
)
@click.option("--map", "with_map", is_flag=True, help="Also draw maps of the pictures (t-SNE) into var/reports.")
@click.option("--new", "only_new", is_flag=True, help="Only add articles without an embedding, by the stored PCA.")
@_native_logs_aside
def images(data_dir: Path, backbone: str, weights: Path | None, with_map: bool, only_new: bool) -> None:
    """Embed the articles' pictures and reduce them by PCA.

    Pictures are DATA_DIR/images/0NN/0NNNNNNNNN.jpg. Started again after a kill it goes on where it was.
    """
    from infra.base.progress import console
    from towers.images.backbone import open_backbone
    from towers.images.build import add_new, embed_catalogue, read_articles

    settings = Settings.from_environment()
    articles = read_articles(settings.tables_dir)
    if only_new:
        chosen = None if backbone == "auto" and weights is None else open_backbone(backbone, weights)
        added = add_new(articles, data_dir / "images", settings.images_dir, chosen)
        console.print(f"{added:,} articles added; all others and the PCA stay as they were")
        return
    report = embed_catalogue(articles, data_dir / "images", settings.images_dir, open_backbone(backbone, weights))
    report.write_figures(settings.reports_dir)
    for line in report.lines():
        console.print(f"  {line}", highlight=False, soft_wrap=True)
    if with_map:
        from towers.reports.tsne import draw_picture_maps

        pictures, seed = data_dir / "images", 7
        for path in draw_picture_maps(settings.tables_dir, settings.images_dir, pictures, settings.reports_dir, seed):
            console.print(f"  wrote {path}", soft_wrap=True)


@click.command()
@click.option("--release", required=True, type=click.IntRange(min=1), help="Number of the release to write.")
@click.option("--as-of", required=True, type=DAY, help="Train on purchases dated before this day.")
@click.option("--seed", default=7, show_default=True, type=SEED, help="The same seed and data give the same release.")
@click.option(
    "--epochs",
    default=None,
    type=click.IntRange(min=1),
    help="Epochs of the two towers; by the size of the log unless given.",
)
@DAYS
@click.option(
    "--include-report-day/--no-include-report-day",
    default=True,
    show_default=True,
    help="Fit the release on the day it was measured on, too.",
)
@QUOTA
@ORACLE
@_native_logs_aside
def train(
    release: int,
    as_of: datetime,
    seed: int,
    epochs: int | None,
    days: int,
    include_report_day: bool,
    quotas: tuple[tuple[str, int], ...],
    oracle: Path | None,
) -> None:
    """Train the towers and the ranker and write a release bundle.

    Models are first trained on all days but the last and measured on that one, then fitted to everything.
    """
    from dataclasses import replace

    from feature_repo.store import open_store
    from infra.base.progress import console
    from towers.evaluation.report.files import write_report
    from towers.evaluation.report.terminal import show_main
    from towers.training import pipeline
    from towers.training.fitting import FittingConfig

    settings = Settings.from_environment()
    fitting = FittingConfig().with_seed(seed).with_quotas(dict(quotas))
    if epochs is not None:
        fitting = replace(fitting, tower_training=replace(fitting.tower_training, epochs=epochs, least_steps=0))
    options = pipeline.TrainOptions(as_of.date(), days=days, known_best=_known_best(oracle), fitting=fitting)
    trained = pipeline.train(settings, open_store(settings), release, options, include_report_day)
    show_main(trained.evaluation, console)
    for path in write_report(trained.evaluation, settings.reports_dir):
        console.print(f"wrote {path}")
    console.print(f"release {release} is at {trained.folder}")


@click.command()
@click.option("--release", required=True, type=click.IntRange(min=1), help="Number of the release.")
@click.option("--day", type=DAY, help="Measure the release on this ingested day, which it has not seen.")
@click.option(
    "--holdout",
    type=click.Path(path_type=Path, dir_okay=False, exists=True),
    help="Measure the release on a purchase file (CSV or Parquet) that is later than what it was trained on.",
)
@click.option("--served", is_flag=True, help="With --day or --holdout: also ask the running gateway, and compare.")
@click.option("--rows", help="Only these rows or groups of rows, separated by commas; all unless given.")
@click.option(
    "--customers", default=20_000, show_default=True, type=click.IntRange(min=1), help="Measure on at most so many."
)
@click.option("--seed", default=7, show_default=True, type=SEED, help="Draws the customers, and the intervals.")
@ORACLE
@_native_logs_aside
def evaluate(
    release: int,
    day: datetime | None,
    holdout: Path | None,
    served: bool,
    rows: str | None,
    customers: int,
    seed: int,
    oracle: Path | None,
) -> None:
    """Measure a release against simple rules, common libraries, its own parts and boosted trees.

    Without --day and --holdout: on the day before its as-of day, by the models of its training that had not seen it.
    Otherwise the release itself, from its files, on purchases that it has not seen. Rows: rules (trending and
    popularity, bought again, same product, bought together), implicit (als, bpr, bm25), towers (two towers, two-stage
    head), trees (lightgbm, lambdarank).
    """
    from infra.base.errors import UserError
    from towers.evaluation.command import EvaluationRequest, run

    if day is not None and holdout is not None:
        raise UserError("--day and --holdout both name what is to be found; give one of them")
    if served and day is None and holdout is None:
        raise UserError("--served needs the purchases that followed: give --day or --holdout")
    measured_day, best = day.date() if day else None, _known_best(oracle)
    request = EvaluationRequest(release, measured_day, holdout, served, rows, customers, seed, best)
    run(Settings.from_environment(), request)


@click.command()
@click.option("--as-of", required=True, type=DAY, help="Train on purchases dated before this day, measure on the last.")
@click.option("--only", help="Names of variants, separated by commas; all unless given.")
@click.option("--list", "list_only", is_flag=True, help="Name the variants and stop.")
@click.option("--seed", default=7, show_default=True, type=SEED, help="Of all training.")
@DAYS
@click.option(
    "--customers", default=20_000, show_default=True, type=click.IntRange(min=1), help="Of a day, at most so many."
)
@click.option(
    "--report-days", default=1, show_default=True, type=click.IntRange(min=1), help="Measure on so many days."
)
@click.option(
    "--fits",
    default=1,
    show_default=True,
    type=click.IntRange(min=1),
    help="Train everything so many times by other seeds, and measure the mean.",
)
@QUOTA
@_native_logs_aside
def ablate(
    as_of: datetime,
    only: str | None,
    list_only: bool,
    seed: int,
    days: int,
    customers: int,
    report_days: int,
    fits: int,
    quotas: tuple[tuple[str, int], ...],
) -> None:
    """Train again without one thing, and measure what is lost, by all customers and slices.

    Without pictures, with pictures shuffled among the pictured articles (so that only their content is lost, not that
    there is one), without text, with text shuffled, without 30-day activity, and without each candidate source. Each
    trains for minutes; towers are trained once where they stay the same.
    """
    from feature_repo.store import open_store
    from infra.base.progress import console
    from towers.training.ablation import ablate as run
    from towers.training.ablation import choose, variants
    from towers.training.fitting import FittingConfig
    from towers.training.pipeline import TrainOptions, open_options

    settings, config = Settings.from_environment(), FittingConfig().with_seed(seed).with_quotas(dict(quotas))
    known = variants(tuple(config.quotas), settings.images_dir, seed)
    if list_only:
        for variant in known.values():
            console.print(f"{variant.name}: {variant.what}", highlight=False)
        return
    chosen = choose(known, only)
    options = TrainOptions(as_of.date(), days, test_customers=customers, fitting=config)
    data = open_options(settings, open_store(settings), options)
    report = run(data, config, chosen, report_days, fits)
    report.show(console)
    for path in report.write(settings.reports_dir):
        console.print(f"wrote {path}", soft_wrap=True)
