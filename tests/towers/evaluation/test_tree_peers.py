"""Boosted trees learn from the ranker's rows what the ranker learns from them."""

from __future__ import annotations

import numpy as np
import pytest

from towers.data.ranking_set import RankingSet
from towers.evaluation.peers.trees import Objective, train_trees


@pytest.mark.parametrize("objective", ["binary", "lambdarank"])
def test_trees_find_what_decides(objective: Objective) -> None:
    rng = np.random.default_rng(1)
    features = rng.normal(size=(30_000, 6)).astype(np.float32)
    chance = 1 / (1 + np.exp(-(1.5 * features[:, 0] - features[:, 1] - 3)))
    rows = RankingSet(features, rng.random(30_000) < chance, np.ones(30_000, np.float32), np.full(300, 100, np.int32))
    scores = train_trees(objective, rows, seed=1)(features)
    assert np.corrcoef(np.argsort(np.argsort(scores)), np.argsort(np.argsort(chance)))[0, 1] > 0.9
