"""``vitrine train``: from purchases to a release. Reads like its picture:

snapshots of past days -> training pairs -> two towers -> index and sources -> ranker -> evaluation -> bundle

Models are fitted to all days but the last, to be measured on that one, and then to everything, for the release. Each
step is a function of its own, so that whoever needs several releases of the same data repeats none.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from infra.base.errors import UserError
from infra.base.progress import console
from infra.base.settings import Settings
from serving.release.writer import write_release
from towers.data.training_data import TrainingData, open_training_data
from towers.evaluation.evaluate import evaluate
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.known_best import KnownBestRows
from towers.evaluation.report.metrics_json import as_json
from towers.evaluation.rows import Subject
from towers.reports.training_curves import training_curves
from towers.training.bundle import release_content
from towers.training.evaluation_artifacts import EvaluationArtifacts, write_peers, write_test_fit
from towers.training.fitting import Fitted, FittingConfig, fit


@dataclass(frozen=True)
class TrainOptions:
    """What is trained on, and how."""

    as_of: date  # purchases dated before it are known
    days: int = 60  # training days at most
    customers_per_day: int = 20_000
    test_customers: int = 4_000
    known_best: KnownBestRows = field(default_factory=dict)  # of a synthetic shop, to show beside ours
    fitting: FittingConfig = field(default_factory=FittingConfig)


class Measurement(NamedTuple):
    """Models fitted to all days but the last, and how good they were on that one."""

    fitted: Fitted
    evaluation: Evaluation


@dataclass(frozen=True)
class Trained:
    """Where the release is and how good models made like it were on the report day."""

    folder: Path
    evaluation: Evaluation


def train(settings: Settings, store: Any, release: int, options: TrainOptions, include_report_day: bool) -> Trained:
    """Train, measure and write a release, and what a later evaluation of it needs.

    Args:
        settings: where tables, images and releases are.
        store: ``feast.FeatureStore``.
        release: its number.
        options: what to train.
        include_report_day: fit the release on the day it was measured on, too.

    Raises:
        UserError: the release exists, or tables or enough days are missing.
    """
    refuse_existing(settings, release)
    data = open_options(settings, store, options)
    measured = fit_and_measure(data, options)
    write_test_fit(settings, release, data, measured.fitted)
    write_curves(settings, measured.fitted, release)
    fitted = fit_everything(data, options, measured.fitted) if include_report_day else measured.fitted
    write_peers(EvaluationArtifacts.of(settings, release).release_peers, fitted)
    return write(settings, release, data, options, fitted, measured.evaluation)


def refuse_existing(settings: Settings, release: int) -> None:
    """Stop before anything is trained in vain.

    Raises:
        UserError: the release exists.
    """
    folder = settings.releases_dir / str(release)
    if folder.exists():
        raise UserError(f"release {release} exists at {folder}; a release never changes, take the next number")


def open_options(settings: Settings, store: Any, options: TrainOptions) -> TrainingData:
    """The data that the options name; says so where pictures were embedded too late to be among the features."""
    data = open_training_data(
        settings.tables_dir,
        store,
        options.as_of,
        options.days,
        options.customers_per_day,
        options.test_customers,
        options.fitting.seed,
    )
    if (settings.images_dir / "embeddings.parquet").exists() and not data.catalogue.content.images.any():
        console.print(
            "[yellow]no picture is among the features, though pictures have been embedded; to learn from them, run "
            f"`vitrine features --as-of {options.as_of}` after `vitrine images`[/yellow]"
        )
    return data


def fit_and_measure(data: TrainingData, options: TrainOptions) -> Measurement:
    """Fit to all days but the last and measure on that one."""
    fitted = fit(data.past, options.fitting.sources_by_day(data.shop), options.fitting)
    return Measurement(fitted, evaluate(measured_subject(data, fitted, options)))


def measured_subject(data: TrainingData, fitted: Fitted, options: TrainOptions) -> Subject:
    """What was fitted, as of the report day's morning."""
    return Subject(
        fitted.retrieval(data.test),
        fitted.ranker.scores,
        data.purchases,
        data.test_log_customers,
        fitted.towers.head_logits,
        fitted.rows,
        options.known_best,
        fitted.config.seed,
    )


def fit_everything(data: TrainingData, options: TrainOptions, measured: Fitted) -> Fitted:
    """Fit to all days, the last included.

    The ranker sees its customers through towers of the measured fit: those have not seen the last day either.
    """
    days = [*data.past, data.report]
    return fit(days, measured.sources_by_day, options.fitting, measured.out_of_fold)


def write(
    settings: Settings,
    release: int,
    data: TrainingData,
    options: TrainOptions,
    fitted: Fitted,
    evaluation: Evaluation,
) -> Trained:
    """Write the release's bundle."""
    content = release_content(
        release,
        data,
        fitted,
        data.release_day,
        settings.images_dir,
        evaluation.headline(),
        as_json(evaluation),
    )
    return Trained(write_release(settings.releases_dir, content), evaluation)


def write_curves(settings: Settings, fitted: Fitted, release: int) -> Path | None:
    """Draw how the training of towers and ranker went; nothing where neither had anything to learn from."""
    losses = {"towers' loss": fitted.towers.model.epoch_losses, "ranker's loss": fitted.ranker.epoch_losses}
    title = f"Training of release {release}, the fit that was measured"
    return training_curves(losses, settings.reports_dir / "training_curves.png", title)
