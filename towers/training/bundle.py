"""What was fitted, as a release bundle of one day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from infra.base.calendar import date_of
from serving.ranking.query_features import QUERY_NUMERIC
from serving.ranking.ranking_features import ranking_feature_names
from serving.release.manifest import Manifest, SourceQuota
from serving.release.writer import ReleaseContent
from towers.data.snapshot import Snapshot
from towers.data.training_data import TrainingData
from towers.images.reduction import Reduction
from towers.training.export import ServedCandidateTower, export_candidate_tower, export_query_tower, export_ranker
from towers.training.fitting import Fitted


def release_content(
    release: int,
    data: TrainingData,
    fitted: Fitted,
    snapshot: Snapshot,
    images_dir: Path,
    headline: Mapping[str, float],
    metrics: Mapping[str, Any],
) -> ReleaseContent:
    """The bundle's content.

    Args:
        release: its number.
        data: what the models were fitted to.
        snapshot: the articles as of the day that the release is for; the sources are fitted to purchases before it.
        images_dir: holds the pictures' PCA, if there is one.
        headline: metrics for the manifest.
        metrics: of ``metrics.json``.
    """
    towers, config = fitted.towers, fitted.config
    retrieval = fitted.retrieval(snapshot)
    candidate_tower = ServedCandidateTower(towers.model, data.catalogue.content.image_scale)
    as_of = date_of(snapshot.day)
    manifest = Manifest(
        release=release,
        as_of=as_of.isoformat(),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        seed=config.seed,
        articles=len(snapshot.articles),
        embedding_dim=towers.model.config.embedding_dim,
        temperature=float(towers.model.temperature),
        prior_weight=towers.model.config.prior_weight,
        sources=tuple(
            SourceQuota(name, limit, tuple(fitted.precision[name].tolist())) for name, limit in config.quotas.items()
        ),
        query_numeric=QUERY_NUMERIC,
        query_categories={name: list(vocabulary) for name, vocabulary in data.vocabularies.items()},
        ranking_features=ranking_feature_names(tuple(config.quotas)),
        image_backbone=_image_backbone(images_dir),
        metrics=dict(headline),
    )
    return ReleaseContent(
        manifest=manifest,
        articles=retrieval.snapshot.articles,
        item_vectors=retrieval.index.vectors,
        quotas=retrieval.quotas,
        models={
            "query_tower": lambda folder: export_query_tower(towers.query_tower, folder),
            "candidate_tower": lambda folder: export_candidate_tower(candidate_tower, folder),
            "ranker": lambda folder: export_ranker(fitted.ranker, folder),
        },
        files=_image_files(images_dir),
        metrics=metrics,
    )


def _image_files(images_dir: Path) -> dict[str, Path]:
    pca = images_dir / "pca.npz"
    return {"images/pca.npz": pca} if pca.is_file() else {}


def _image_backbone(images_dir: Path) -> str:
    pca = images_dir / "pca.npz"
    if not pca.is_file():
        return "none"
    return Reduction.load(pca).backbone
