"""The ranker's strongest peer: LightGBM, learning from the very same rows as the ranker."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from towers.data.ranking_set import RankingSet

Objective = Literal["binary", "lambdarank"]
Scores = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

_PARAMETERS = {
    "num_leaves": 15,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 20.0,
    "max_bin": 127,
    "verbosity": -1,
}
"""Of thirteen settings the best for both objectives on an earlier day of real purchases: seeing few of the features
at a time is worth .01 of MAP, more leaves and trees cost as much."""
_TREES: dict[Objective, tuple[int, float]] = {"binary": (200, 0.03), "lambdarank": (100, 0.05)}
"""How many, and the learning rate."""
_LEAST_IN_LEAF, _MOST_IN_LEAF, _SHARE_IN_LEAF = 20, 500, 1_000
_ROWS_WORTH_THREADS = 50_000


def train_trees(objective: Objective, rows: RankingSet, seed: int) -> Scores:
    """Boosted trees on the ranker's rows.

    Args:
        objective: ``binary``: each candidate on its own; ``lambdarank``: the order within a customer.
        rows: what the ranker learned from.

    Returns:
        features [rows, columns] -> scores [rows].

    Raises:
        UserError: LightGBM is not installed.
    """
    try:
        lightgbm: Any = importlib.import_module("lightgbm")
    except ImportError:
        raise UserError(
            "the rows lightgbm and lambdarank need the package lightgbm; install it with `pip install lightgbm`, "
            "or leave them out with --rows"
        ) from None
    threads = 1 if len(rows) < _ROWS_WORTH_THREADS else 0  # 0: as many as OpenMP takes
    binary = objective == "binary"
    data = lightgbm.Dataset(
        rows.features,
        rows.bought.astype(np.int8),
        group=None if binary else rows.case_rows,
        # As the ranker: what was left out of the negatives is given back, so that chances are those of all candidates.
        init_score=-np.log(rows.kept_share) if binary else None,
    )
    trees, learning_rate = _TREES[objective]
    parameters = _PARAMETERS | {
        "objective": objective,
        "learning_rate": learning_rate,
        "min_child_samples": max(_LEAST_IN_LEAF, min(_MOST_IN_LEAF, len(rows) // _SHARE_IN_LEAF)),
        "seed": seed,
        "num_threads": threads,
        "deterministic": True,
    }
    booster = lightgbm.train(parameters, data, trees)

    def scores(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = booster.predict(features, num_threads=threads).astype(np.float32)
        return values

    return scores
