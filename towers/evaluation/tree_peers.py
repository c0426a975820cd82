"""The ranker's strongest peer: LightGBM, learning from the very same rows as the ranker."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from infra.errors import UserError
from towers.ranking_set import RankingSet

Objective = Literal["binary", "lambdarank"]
Scores = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

TREES = 200
_ROWS_WORTH_THREADS = 50_000
_PARAMETERS = {
    "learning_rate": 0.07,
    "max_bin": 127,
    "num_leaves": 31,
    "min_child_samples": 50,
    "feature_fraction": 0.8,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 1.0,
    "verbosity": -1,
}


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
    group = rows.case_rows if objective == "lambdarank" else None
    data = lightgbm.Dataset(rows.features, rows.bought.astype(np.int8), group=group)
    parameters = _PARAMETERS | {"objective": objective, "seed": seed, "num_threads": threads, "deterministic": True}
    booster = lightgbm.train(parameters, data, TREES)

    def scores(features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        values: npt.NDArray[np.float32] = booster.predict(features, num_threads=threads).astype(np.float32)
        return values

    return scores
