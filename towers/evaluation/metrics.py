"""Ranking metrics, computed for all customers at once and kept per customer, so that rows can be compared paired.

A *case* is one customer on one day. Its targets are the distinct articles the customer bought that day, whether or not
they had been bought before: repurchases count, two pieces of the same article are one target. Cases without targets do
not exist. With r(i) = 1 if rank i (from 1) holds a target, T = the number of targets and k = the cut:

- precision@k = sum r(1..k) / k; a list shorter than k counts its missing ranks as misses
- recall@k = sum r(1..k) / T
- ndcg@k = sum r(i) / log2(i + 1) over i <= k, divided by the same sum for the best possible list, min(T, k) ones first
- map@k = sum r(i) * precision@i over i <= k, divided by min(T, k), as in the Kaggle competition of the H&M data
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from towers.data.targets import Targets

CUTS = (10, 12, 20)
DEEP_CUTS = (100, 500)
DEPTH = 500
"""How long lists are where there is enough to fill them."""
NO_ARTICLE = -1
NOT_RANKED = np.iinfo(np.int32).max

METRICS: tuple[str, ...] = (
    "map_at_12",
    *(f"{name}_at_{k}" for k in CUTS for name in ("precision", "recall", "ndcg")),
    *(f"recall_at_{k}" for k in DEEP_CUTS),
)
_TARGETS_AT_ONCE = 8_192


def target_ranks(ranked: NDArray[np.int32], targets: Targets) -> NDArray[np.int32]:
    """Where in its customer's list every target stands.

    Args:
        ranked: [cases, depth] articles, best first; ``NO_ARTICLE`` fills a short list. Of an article that comes twice
            in a list the first place counts.
        targets: what was bought, one entry per row of ``ranked``.

    Returns:
        [targets in all] ranks from 0, ``NOT_RANKED`` for what is not in the list.
    """
    if len(ranked) != len(targets):
        raise ValueError(f"{len(ranked)} ranked lists for {len(targets)} cases; expected one list a case")
    ranks = np.full(len(targets.articles), NOT_RANKED, np.int32)
    cases = targets.cases
    for start in range(0, len(cases), _TARGETS_AT_ONCE):
        chunk = slice(start, start + _TARGETS_AT_ONCE)
        same = ranked[cases[chunk]] == targets.articles[chunk, None]
        found = same.any(axis=1)
        ranks[chunk][found] = same[found].argmax(axis=1)
    return ranks


def measure_ranks(ranks: NDArray[np.int32], targets: Targets) -> dict[str, NDArray[np.float64]]:
    """Every metric of every case; the mean over cases is what tables show.

    Args:
        ranks: from ``target_ranks``; a list that is shorter than a cut counts its missing ranks as misses.
        targets: the same targets; none of the cases is without.

    Returns:
        metric name (see ``METRICS``) -> [cases].
    """
    counts = targets.counts
    if (counts < 1).any():
        raise ValueError("a case has no targets; leave it out before measuring")

    def per_case(values: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.bincount(targets.cases, values, len(targets)).astype(np.float64)

    values: dict[str, NDArray[np.float64]] = {}
    for k in CUTS:
        found = per_case((ranks < k).astype(np.float64))
        gains = per_case(np.where(ranks < k, 1.0 / np.log2(ranks.astype(np.float64) + 2.0), 0.0))
        best = np.cumsum(1.0 / np.log2(np.arange(2, k + 2)))[np.minimum(counts, k) - 1]
        values |= {f"precision_at_{k}": found / k, f"recall_at_{k}": found / counts, f"ndcg_at_{k}": gains / best}
    for k in DEEP_CUTS:
        values[f"recall_at_{k}"] = per_case((ranks < k).astype(np.float64)) / counts
    precisions = np.where(ranks < 12, _place_among_targets(ranks, targets) / (ranks + 1.0), 0.0)
    values["map_at_12"] = per_case(precisions) / np.minimum(counts, 12)
    return {name: values[name] for name in METRICS}


def _place_among_targets(ranks: NDArray[np.int32], targets: Targets) -> NDArray[np.int64]:
    """Of every target: how many targets of its case stand at its rank or above, itself included."""
    order = np.lexsort((ranks, targets.cases))
    places = np.empty(len(ranks), np.int64)
    places[order] = np.arange(len(ranks)) - np.repeat(targets.offsets[:-1], targets.counts) + 1
    return places
