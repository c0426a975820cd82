"""Lists of the models: two towers alone, the two-stage model's head, and Vitrine with all sources and the ranker."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from infra.progress import track
from serving.retrieval.sources.trending import TrendingSource
from towers.evaluation.baselines import DEPTH, join_lists
from towers.ranking_set import Retrieval

Scorer = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""The ranker: features [rows, columns] -> scores [rows]."""
HeadScorer = Callable[[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.float32]], npt.NDArray]
"""The ranking head: query [m, dim], candidate [m, dim], retrieval score [m] -> logits [m]."""

HEAD_CANDIDATES = 300
_CASES_AT_ONCE = 128


def rank_by_towers(retrieval: Retrieval) -> npt.NDArray[np.int32]:
    """The index's answer as it is, [cases, DEPTH]."""
    found = retrieval.index.search_many(retrieval.query_embeddings, DEPTH)[0]
    return np.stack([join_lists([positions]) for positions in found])


def rank_by_head(retrieval: Retrieval, head: HeadScorer) -> npt.NDArray[np.int32]:
    """The index's answer in the order of the head that was trained together with the towers, [cases, DEPTH]."""
    vectors = retrieval.index.vectors
    ranked = []
    answers = zip(*retrieval.index.search_many(retrieval.query_embeddings, HEAD_CANDIDATES), strict=True)
    for query, (positions, scores) in zip(retrieval.query_embeddings, answers, strict=True):
        logits = head(np.tile(query, (len(positions), 1)), vectors[positions], scores)
        ranked.append(join_lists([positions[np.argsort(-logits, kind="stable")]]))
    return np.stack(ranked)


def rank_by_vitrine(
    retrieval: Retrieval, scorer: Scorer
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """What the gateway shows: all sources' candidates in the ranker's order; without purchases, what is trending.

    Returns:
        Lists [cases, DEPTH], the candidates' recall of each case [cases], and their number [cases].
    """
    targets = retrieval.snapshot.targets
    cases = len(retrieval.snapshot.customers)
    ranked = np.full((cases, DEPTH), -1, np.int32)
    recall, sizes = np.zeros(cases), np.zeros(cases, np.int64)
    trending = TrendingSource()
    chunks = range(0, cases, _CASES_AT_ONCE)
    for start in track(chunks, "rank test customers"):
        chunk = range(start, min(start + _CASES_AT_ONCE, cases))
        candidates = [retrieval.candidates(case) for case in chunk]
        features = [retrieval.features(case, found) for case, found in zip(chunk, candidates, strict=True)]
        scores = scorer(np.concatenate(features))
        stops = np.cumsum([len(found) for found in candidates])
        for case, found, own in zip(chunk, candidates, np.split(scores, stops[:-1]), strict=True):
            question = retrieval.question(case)
            if question.customer.has_history:
                shown = found.positions[np.lexsort((found.positions, -own))[:DEPTH]]
            else:
                shown = trending.propose(question, DEPTH).positions
            ranked[case, : len(shown)] = shown
            wanted = targets.articles[targets.offsets[case] : targets.offsets[case + 1]]
            recall[case] = np.isin(wanted, found.positions).mean()
            sizes[case] = len(found)
    return ranked, recall, sizes
