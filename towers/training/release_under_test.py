"""A finished bundle on a day: its own files propose and rank, as the gateway would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from infra.base.calendar import epoch_day
from infra.base.errors import UserError
from serving.ranking.query_features import query_inputs
from serving.release.reader import Release
from towers.data.point_in_time import PointInTime
from towers.data.purchases import log_numbers, read_purchases
from towers.data.ranking_set import Retrieval
from towers.data.snapshot import Snapshot
from towers.evaluation.known_best import KnownBestRows
from towers.evaluation.rows import Subject
from towers.evaluation.served.order import Scorer
from towers.training.evaluation_artifacts import read_head, read_rows

_SCORING_BATCH = 65_536


def open_subject(
    folder: Path,
    store: Any,
    tables_dir: Path,
    day: date,
    customers: int,
    seed: int,
    bought: Mapping[str, Sequence[str]] | None = None,
    known_best: KnownBestRows | None = None,
    peers: Path | None = None,
) -> Subject:
    """A bundle as of a day's morning, to be measured on that day.

    Args:
        folder: of a release, or of the fit that was measured in its making.
        store: ``feast.FeatureStore``, for the features of that morning.
        tables_dir: the purchases, for rules and libraries, and what was bought on the day.
        day: not before the bundle's ``as_of``.
        customers: at most so many, drawn by ``seed``; those whose purchases the bundle does not know are left out.
        bought: what was bought, by customer; from the tables unless given.
        known_best: rows of a synthetic shop.
        peers: the folder of the bundle's head and training rows, see ``evaluation_artifacts.py``.

    Raises:
        UserError: there is no such bundle, it has seen the day, or nothing was bought.
    """
    release = Release.open(folder)
    today = epoch_day(day)
    if today < release.as_of_day:
        raise UserError(
            f"release {release.number} was trained on purchases before {release.manifest.as_of} and has seen {day}; "
            f"give a day from {release.manifest.as_of} on"
        )
    point_in_time = PointInTime(store, tables_dir)
    if bought is None:
        (snapshot,) = point_in_time.snapshots(release.articles, [today], customers, seed)
    else:
        (snapshot,) = point_in_time.snapshots_of(release.articles, [today], [_some(bought, customers, seed)])
    snapshot = snapshot.take(np.flatnonzero(snapshot.targets.counts))
    if not snapshot.customers:
        raise UserError(f"no purchases of the release's articles on {day}; ingest files that hold that day")
    return Subject(
        _retrieve(release, snapshot, folder),
        _scorer(folder),
        read_purchases(tables_dir, release.articles.ids).before(today),
        log_numbers(tables_dir, release.articles.ids, [customer.customer_id for customer in snapshot.customers]),
        read_head(peers) if peers else None,
        read_rows(peers) if peers else None,
        known_best or {},
        seed,
    )


def _some(bought: Mapping[str, Sequence[str]], limit: int, seed: int) -> Mapping[str, Sequence[str]]:
    if len(bought) <= limit:
        return bought
    names = sorted(bought)
    chosen = np.random.default_rng(seed).choice(len(names), limit, replace=False)
    return {names[row]: bought[names[row]] for row in np.sort(chosen)}


def _retrieve(release: Release, snapshot: Snapshot, folder: Path) -> Retrieval:
    """The release's index and sources with the live columns of that morning."""
    articles = release.articles
    articles.sales[:], articles.activity[:] = snapshot.articles.sales, snapshot.articles.activity
    articles.price_remainders[:] = snapshot.articles.price_remainders
    articles.activity_version += 1
    release.index.set_units(slice(None), articles.units_3d)
    serve = _signature(folder, "query_tower")
    inputs = query_inputs(snapshot.customers, release.query_vocabularies)
    tensors = {name: tf.constant(value) for name, value in inputs.tensors().items()}
    embeddings = serve(**tensors)["query_embedding"].numpy()
    own = Snapshot(snapshot.day, articles, snapshot.customers, snapshot.targets)
    return Retrieval.of(own, release.index, release.quotas, embeddings)


def _scorer(folder: Path) -> Scorer:
    serve = _signature(folder, "ranker")

    def score(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        starts = range(0, len(features), _SCORING_BATCH)
        return np.concatenate(
            [serve(features=tf.constant(features[start : start + _SCORING_BATCH]))["score"].numpy() for start in starts]
        )

    return score


def _signature(folder: Path, model: str) -> Any:
    loaded = tf.saved_model.load(str(folder / "models" / model))
    serve = loaded.signatures["serving_default"]
    serve.keeps_alive = loaded  # a signature does not hold its model's variables
    return serve
