"""``vitrine train``: from purchases to a release. Reads like its picture:

snapshots of past mornings -> training pairs -> two towers -> index and sources -> ranker -> evaluation -> bundle

It runs twice: on everything but the last day, to be measured on that day, and then on everything, for the release.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from infra.errors import UserError
from infra.progress import console
from infra.settings import Settings
from serving.release.manifest import Manifest, SourceQuota
from serving.release.writer import ReleaseContent, write_release
from serving.retrieval.purchase_log import PurchaseLog
from serving.retrieval.query_features import QUERY_CATEGORIES, QUERY_NUMERIC
from serving.retrieval.ranking_features import ranking_feature_names
from towers.catalogue import Catalogue, read_catalogue
from towers.evaluation.evaluate import Evaluation, evaluate
from towers.evaluation.metrics import Targets
from towers.export import ServedCandidateTower, export_candidate_tower, export_query_tower, export_ranker
from towers.fitting import Fitted, FittingConfig, fit, retrieve_as_of
from towers.point_in_time import PointInTime
from towers.preprocessing import make_vocabulary
from towers.purchases import read_purchases, training_days
from towers.snapshot import Snapshot

EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class TrainOptions:
    """One call of ``vitrine train``."""

    release: int
    as_of: date  # purchases dated before it are known
    days: int = 28  # training days at most
    customers_per_day: int = 20_000
    test_customers: int = 4_000
    include_report_day: bool = True  # fit the release on the day it was measured on, too
    oracle_dir: Path | None = None  # the folder of a synthetic shop, to show the best possible beside ours
    fitting: FittingConfig = field(default_factory=FittingConfig)


@dataclass(frozen=True)
class Trained:
    """Where the release is and how good it was on the report day."""

    folder: Path
    evaluation: Evaluation


def train(settings: Settings, store: Any, options: TrainOptions) -> Trained:
    """Train, measure and write a release.

    Args:
        settings: where tables, images and releases are.
        store: ``feast.FeatureStore``.
        options: what to train.

    Raises:
        UserError: the release exists, or tables or enough days are missing.
    """
    folder = settings.releases_dir / str(options.release)
    if folder.exists():
        raise UserError(f"release {options.release} exists at {folder}; a release never changes, take the next number")
    today = (options.as_of - EPOCH).days
    point_in_time = PointInTime(store, settings.tables_dir)
    catalogue = read_catalogue(point_in_time, settings.tables_dir, today)
    purchases = read_purchases(settings.tables_dir, catalogue.table.ids).before(today)
    vocabularies = read_query_vocabularies(settings.tables_dir)
    config = options.fitting

    days = training_days(purchases, today, options.days + 1)
    if len(days) < 2:
        raise UserError(f"only one day before {options.as_of} is fit to learn from; two are needed, one to measure on")
    console.print(f"training days {_name(days[0])} to {_name(days[-1])}, measured on {_name(days[-1])}")
    *past, report = point_in_time.snapshots(catalogue.table, days, options.customers_per_day, config.seed)

    measured = fit(past, catalogue, purchases.before(report.day), vocabularies, config)
    test = _test_cases(report, options.test_customers, config.seed)
    retrieval = retrieve_as_of(test, measured.towers, purchases, vocabularies, config.quotas)
    evaluation = evaluate(retrieval, measured.ranker.scores, purchases, measured.towers.head_logits, options.oracle_dir)
    final = measured
    if options.include_report_day:
        final = fit([*past, report], catalogue, purchases, vocabularies, config)
    morning = _morning(point_in_time, catalogue, today)
    content = _content(options, settings, final, catalogue, morning, purchases, vocabularies, evaluation)
    return Trained(write_release(settings.releases_dir, content), evaluation)


def read_query_vocabularies(tables_dir: Path) -> dict[str, dict[str, int]]:
    """Value -> index of each of the query tower's categories, "" (unknown) at 0."""
    path = tables_dir / "customers.parquet"
    vocabularies = {}
    for name in QUERY_CATEGORIES:
        rows = duckdb.execute(f"SELECT DISTINCT {name} FROM read_parquet($path)", {"path": str(path)}).fetchall()
        vocabularies[name] = {value: index for index, value in enumerate(make_vocabulary([row[0] for row in rows]))}
    return vocabularies


def _test_cases(report: Snapshot, limit: int, seed: int) -> Snapshot:
    """Every customer with history, and of the others as many as fit."""
    warm = np.flatnonzero(report.warm)
    cold = np.random.default_rng(seed).permutation(np.flatnonzero(~report.warm))[: max(limit - len(warm), 0)]
    return report.take(np.sort(np.concatenate([warm, cold])))


def _morning(point_in_time: PointInTime, catalogue: Catalogue, today: int) -> Snapshot:
    """The release's own morning: articles as of it, and no customers."""
    articles = point_in_time.article_tables(catalogue.table, [today])[0]
    return Snapshot(today, articles, [], Targets.from_lists([]))


def _content(
    options: TrainOptions,
    settings: Settings,
    fitted: Fitted,
    catalogue: Catalogue,
    morning: Snapshot,
    purchases: PurchaseLog,
    vocabularies: Mapping[str, Mapping[str, int]],
    evaluation: Evaluation,
) -> ReleaseContent:
    towers, quotas = fitted.towers, options.fitting.quotas
    retrieval = retrieve_as_of(morning, towers, purchases, vocabularies, quotas)
    candidate_tower = ServedCandidateTower(towers.model, catalogue.content.image_scale)
    manifest = Manifest(
        release=options.release,
        as_of=options.as_of.isoformat(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=options.fitting.seed,
        articles=len(morning.articles),
        embedding_dim=towers.model.config.embedding_dim,
        temperature=float(towers.model.temperature),
        prior_weight=towers.model.config.prior_weight,
        sources=tuple(SourceQuota(name, limit) for name, limit in quotas.items()),
        query_numeric=QUERY_NUMERIC,
        query_categories={name: list(vocabulary) for name, vocabulary in vocabularies.items()},
        ranking_features=ranking_feature_names(tuple(quotas)),
        image_backbone=_image_backbone(settings.images_dir),
        metrics=evaluation.headline(),
    )
    return ReleaseContent(
        manifest=manifest,
        articles=morning.articles,
        item_vectors=retrieval.index.vectors,
        quotas=retrieval.quotas,
        models={
            "query_tower": lambda folder: export_query_tower(towers.query_tower, folder),
            "candidate_tower": lambda folder: export_candidate_tower(candidate_tower, folder),
            "ranker": lambda folder: export_ranker(fitted.ranker, folder),
        },
        files=_image_files(settings.images_dir),
        metrics=evaluation.as_json(),
    )


def _image_files(images_dir: Path) -> dict[str, Path]:
    pca = images_dir / "pca.npz"
    return {"images/pca.npz": pca} if pca.is_file() else {}


def _image_backbone(images_dir: Path) -> str:
    pca = images_dir / "pca.npz"
    if not pca.is_file():
        return "none"
    with np.load(pca, allow_pickle=False) as content:
        return str(content["backbone"]) if "backbone" in content else "unknown"


def _name(day: int) -> str:
    return date.fromordinal(EPOCH.toordinal() + day).isoformat()
