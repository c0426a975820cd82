"""Trained towers as they propose candidates: those that are served, and those that the ranker learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.ranking.query_features import QUERY_CATEGORIES
from towers.data.catalogue import Catalogue
from towers.data.folds import FOLDS, all_but
from towers.data.snapshot import Snapshot
from towers.data.training_set import make_training_set
from towers.models.two_stage import TwoStageConfig, TwoStageModel
from towers.training.candidate_features import candidate_numeric
from towers.training.tower_trainer import ServedQueryTower, TowerTraining, content_vectors, item_vectors, train_towers


@dataclass(frozen=True)
class TowerPart:
    """Two trained towers, as they propose candidates."""

    model: TwoStageModel
    content: npt.NDArray[np.float32]  # [n, content_dim]
    query_tower: ServedQueryTower

    def item_vectors(self, snapshot: Snapshot) -> npt.NDArray[np.float32]:
        """Candidate embeddings as of the snapshot's morning, [n, dim]."""
        return item_vectors(self.model, self.content, candidate_numeric(snapshot.articles))

    def head_logits(
        self, query: npt.NDArray[np.float32], candidate: npt.NDArray[np.float32], score: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """The ranking head on pairs of embeddings [m, dim] and retrieval scores [m] -> [m]."""
        logits: npt.NDArray[np.float32] = self.model.head(query, candidate, score).numpy()
        return logits


@dataclass(frozen=True)
class FittedTowers:
    """Towers trained on all customers, and for each fold of customers towers that have seen none of it."""

    served: TowerPart
    out_of_fold: tuple[TowerPart, ...]  # [FOLDS]


def fit_towers(
    snapshots: Sequence[Snapshot],
    catalogue: Catalogue,
    vocabularies: Mapping[str, Mapping[str, int]],
    config: TwoStageConfig,
    training: TowerTraining,
    out_of_fold: tuple[TowerPart, ...] | None = None,
) -> FittedTowers:
    """Train towers on all customers of some days, and once more without each fold.

    Where a log is so young that nobody is left without a fold, its customers are seen through the served towers.

    Args:
        out_of_fold: from an earlier fit to fewer of the days, instead of training them anew.
    """
    sizes = [len(vocabularies[name]) for name in QUERY_CATEGORIES]

    def fitted(days: Sequence[Snapshot], title: str) -> TowerPart:
        pairs = make_training_set(days, vocabularies, np.random.default_rng(training.seed))
        model = train_towers(pairs, days, catalogue.content, sizes, config, training, title)
        content = content_vectors(model)
        return TowerPart(model, content, ServedQueryTower(model, content))

    served = fitted(snapshots, "two towers")
    if out_of_fold is not None:
        return FittedTowers(served, out_of_fold)
    without: list[TowerPart] = []
    for number in range(FOLDS):
        days = [all_but(snapshot, number) for snapshot in snapshots]
        known = any(day.customers for day in days)
        without.append(fitted(days, f"without fold {number + 1} of {FOLDS}") if known else served)
    return FittedTowers(served, tuple(without))
