"""Vitrine's lists: the gateway's own pipeline, stage by stage, for all customers of a day.

Candidates, order and variety come from ``serving.ranking``, so that what is evaluated is what is served. Several
rankers can order the same candidates: the served one, and peers that learned from the same rows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infra.base.progress import progress_bar
from serving.ranking.filters.allowed import Allowed
from serving.ranking.find_candidates import Candidates, source_order
from serving.ranking.pipeline import RankingPipeline
from serving.retrieval.candidates import ABSENT
from towers.data.ranking_set import Retrieval
from towers.evaluation.metrics import DEPTH, NO_ARTICLE

Scorer = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]
"""A ranker: features [rows, columns] -> scores [rows]."""

SERVED = "vitrine"
UNARRANGED = "vitrine without variety"
_CASES_AT_ONCE = 128


@dataclass(frozen=True)
class ServedOrder:
    """Lists by row, and what is known of the candidates behind them."""

    rankings: Mapping[str, npt.NDArray[np.int32]]  # row -> [cases, DEPTH]
    sources: tuple[str, ...]
    target_sources: npt.NDArray[np.int32]  # [targets in all] bit i: the i-th source proposed it; 0: no candidate
    candidates: npt.NDArray[np.int32]  # [cases] how many the sources proposed
    scores: npt.NDArray[np.float32]  # [scored candidates] of the served ranker
    bought: npt.NDArray[np.bool_]  # [scored candidates]


def rank_candidates(retrieval: Retrieval, scorer: Scorer, peers: Mapping[str, Scorer]) -> ServedOrder:
    """Let the served ranker, and peers on the same candidates, order everybody's candidates.

    The served order has the shop's rules for variety, peers and ``UNARRANGED`` have not. Customers without purchases
    are shown what is trending by every row, as the gateway does.
    """
    snapshot, targets = retrieval.snapshot, retrieval.snapshot.targets
    cases = len(snapshot.customers)
    scorers = {SERVED: scorer} | dict(peers)
    rankings = {name: np.full((cases, DEPTH), NO_ARTICLE, np.int32) for name in (SERVED, UNARRANGED, *peers)}
    target_sources = np.zeros(len(targets.articles), np.int32)
    sizes = np.zeros(cases, np.int32)
    all_scores, all_bought = [np.empty(0, np.float32)], [np.empty(0, np.bool_)]
    pipeline = RankingPipeline(retrieval)
    allowed = Allowed(snapshot.articles)
    with progress_bar("rank test customers", cases) as advance:
        for start in range(0, cases, _CASES_AT_ONCE):
            chunk = range(start, min(start + _CASES_AT_ONCE, cases))
            found = {case: pipeline.find(retrieval.query(case), allowed) for case in chunk}
            scores = _scores(retrieval, pipeline, found, scorers)
            for case, own in found.items():
                positions = own.proposed.positions
                part = slice(targets.offsets[case], targets.offsets[case + 1])
                is_target = targets.articles[part, None] == positions
                by_source = (own.proposed.ranks != ABSENT) @ (1 << np.arange(len(retrieval.sources)))
                target_sources[part] = (is_target * by_source).sum(axis=1)
                sizes[case] = (by_source > 0).sum()
                if SERVED in scores[case]:
                    all_scores.append(scores[case][SERVED])
                    all_bought.append(is_target.any(axis=0))
                for name in scorers:
                    values = scores[case].get(name, source_order(own))
                    order = np.lexsort((positions, -values))
                    if name == SERVED:
                        _put(rankings[UNARRANGED][case], positions[order])
                        order = pipeline.rerank(snapshot.customers[case], own, values)
                    _put(rankings[name][case], positions[order])
            advance(len(chunk))
    scored, bought = np.concatenate(all_scores), np.concatenate(all_bought)
    return ServedOrder(rankings, retrieval.sources, target_sources, sizes, scored, bought)


def _scores(
    retrieval: Retrieval, pipeline: RankingPipeline, found: Mapping[int, Candidates], scorers: Mapping[str, Scorer]
) -> dict[int, dict[str, npt.NDArray[np.float32]]]:
    """case -> ranker -> scores of its candidates; nothing for customers without purchases."""
    personal = [case for case in found if retrieval.snapshot.customers[case].has_history]
    scores: dict[int, dict[str, npt.NDArray[np.float32]]] = {case: {} for case in found}
    if personal:
        features = [pipeline.features(retrieval.query(case), found[case]) for case in personal]
        stops = np.cumsum([len(rows) for rows in features])[:-1]
        packed = np.concatenate(features)
        for name, scorer in scorers.items():
            for case, own in zip(personal, np.split(scorer(packed), stops), strict=True):
                scores[case][name] = own
    return scores


def _put(row: npt.NDArray[np.int32], positions: npt.NDArray[np.int32]) -> None:
    row[: len(positions)] = positions[: len(row)]
