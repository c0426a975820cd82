"""Lists of the towers: alone, and in the order of the two-stage model's head."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from towers.data.ranking_set import Retrieval
from towers.evaluation.metrics import DEPTH
from towers.evaluation.peers.baselines import join_lists

HeadScorer = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]], npt.NDArray]
"""The ranking head: query [m, dim], candidate [m, dim], retrieval score [m] -> logits [m]."""

HEAD_CANDIDATES = 300
_CASES_AT_ONCE = 256


def rank_by_towers(retrieval: Retrieval) -> npt.NDArray[np.int32]:
    """The index's answer as it is, [cases, DEPTH]."""
    found = retrieval.index.search_many(retrieval.query_embeddings, DEPTH)[0]
    return np.stack([join_lists([positions]) for positions in found])


def rank_by_head(retrieval: Retrieval, head: HeadScorer) -> npt.NDArray[np.int32]:
    """The index's answer in the order of the head that was trained together with the towers, [cases, DEPTH]."""
    vectors = retrieval.index.vectors
    ranked = []
    for start in range(0, len(retrieval.query_embeddings), _CASES_AT_ONCE):
        queries = retrieval.query_embeddings[start : start + _CASES_AT_ONCE]
        found, scores = retrieval.index.search_many(queries, HEAD_CANDIDATES)
        rows = np.repeat(queries, found.shape[1], axis=0)
        logits = head(rows, vectors[found.ravel()], scores.ravel()).reshape(found.shape)
        order = np.argsort(-logits, axis=1, kind="stable")
        ranked += [join_lists([positions]) for positions in np.take_along_axis(found, order, axis=1)]
    return np.stack(ranked)
