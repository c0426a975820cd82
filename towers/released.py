"""A finished release on a later day: the bundle's own files propose and rank, as the gateway would."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from infra.errors import UserError
from infra.settings import Settings
from serving.release.reader import Release
from serving.retrieval.candidates import Quota
from serving.retrieval.query_features import query_inputs
from towers.evaluation.evaluate import Evaluation, evaluate
from towers.point_in_time import PointInTime
from towers.purchases import read_purchases
from towers.ranking_set import AnsweredTowerSource, Retrieval
from towers.snapshot import Snapshot

_SCORING_BATCH = 65_536
_EPOCH = date(1970, 1, 1)


def evaluate_release(
    settings: Settings, store: Any, release: int, day: date, customers: int, seed: int, oracle_dir: Path | None
) -> Evaluation:
    """Measure a release on purchases that its training never saw, from the bundle's files alone.

    Args:
        settings: where tables and releases are.
        store: ``feast.FeatureStore``, for the features of that morning.
        release: its number.
        day: the purchases to be found; not before the release's ``as_of``.
        customers: at most so many, drawn by ``seed``.
        oracle_dir: the folder of a synthetic shop.

    Raises:
        UserError: there is no such release, it has seen the day, or nothing was bought on it.
    """
    folder = settings.releases_dir / str(release)
    opened = Release.open(folder)
    today = (day - _EPOCH).days
    if today < opened.as_of_day:
        raise UserError(
            f"release {release} was trained on purchases before {opened.manifest.as_of} and has seen {day}; "
            f"give a --day from {opened.manifest.as_of} on"
        )
    point_in_time = PointInTime(store, settings.tables_dir)
    (snapshot,) = point_in_time.snapshots(opened.articles, [today], customers, seed)
    if not snapshot.customers:
        raise UserError(f"no purchases on {day} in {settings.tables_dir}; ingest files that hold that day")
    opened.articles.sales[:], opened.articles.activity[:] = snapshot.articles.sales, snapshot.articles.activity
    opened.articles.activity_version += 1
    opened.index.set_units(slice(None), opened.articles.units_3d)
    models = {name: tf.saved_model.load(str(folder / "models" / name)) for name in ("query_tower", "ranker")}
    inputs = query_inputs(snapshot.customers, opened.query_vocabularies)
    embeddings = (
        models["query_tower"]
        .signatures["serving_default"](**{name: tf.constant(value) for name, value in inputs.tensors().items()})[
            "query_embedding"
        ]
        .numpy()
    )
    snapshot = Snapshot(today, opened.articles, snapshot.customers, snapshot.targets)
    quotas = [
        Quota(AnsweredTowerSource(opened.index, snapshot.customers, embeddings, quota.limit), quota.limit)
        if quota.source.name == AnsweredTowerSource.name
        else quota
        for quota in opened.quotas
    ]
    retrieval = Retrieval(snapshot, opened.index, quotas, embeddings)
    purchases = read_purchases(settings.tables_dir, opened.articles.ids)
    return evaluate(retrieval, _scorer(models["ranker"]), purchases, oracle_dir=oracle_dir)


def _scorer(ranker: Any) -> Any:
    serve = ranker.signatures["serving_default"]

    def score(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        starts = range(0, len(features), _SCORING_BATCH)
        return np.concatenate(
            [serve(features=tf.constant(features[start : start + _SCORING_BATCH]))["score"].numpy() for start in starts]
        )

    return score
