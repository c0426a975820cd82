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

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CUTS = (10, 12, 20)
NO_ARTICLE = -1


@dataclass(frozen=True)
class Targets:
    """What the customers of some cases bought, distinct within a case.

    ``articles[offsets[i]:offsets[i + 1]]`` are the targets of case i, ascending.
    """

    articles: NDArray[np.int32]  # [total]
    offsets: NDArray[np.int64]  # [cases + 1]

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[int]]) -> Targets:
        """Take one list of articles per case; repeats within a case are dropped."""
        rows = [sorted(set(targets)) for targets in lists]
        flat = [article for row in rows for article in row]
        return cls(np.asarray(flat, np.int32), np.cumsum([0, *map(len, rows)]).astype(np.int64))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> NDArray[np.int64]:
        """Number of targets of each case, [cases]."""
        return np.diff(self.offsets)

    def take(self, cases: NDArray[np.int64]) -> Targets:
        """The targets of some of the cases, in the order given."""
        parts = [self.articles[self.offsets[case] : self.offsets[case + 1]] for case in cases]
        flat = np.concatenate(parts) if parts else np.empty(0, np.int32)
        return Targets(flat.astype(np.int32), np.cumsum([0, *map(len, parts)]).astype(np.int64))


def hits(ranked: NDArray[np.int32], targets: Targets) -> NDArray[np.bool_]:
    """Say for every rank whether it holds a target.

    Args:
        ranked: [cases, depth] articles, best first; ``NO_ARTICLE`` fills a short list. An article that comes twice in a
            list is an error of the caller and would count twice.
        targets: what was bought, one entry per row of ``ranked``.

    Returns:
        [cases, depth] of bool.
    """
    if len(ranked) != len(targets):
        raise ValueError(f"{len(ranked)} ranked lists for {len(targets)} cases; expected one list a case")
    stride = np.int64(max(int(ranked.max(initial=0)), int(targets.articles.max(initial=0))) + 1)
    wanted = np.repeat(np.arange(len(targets)), targets.counts) * stride + targets.articles
    offered = np.arange(len(ranked))[:, None] * stride + ranked
    found = np.isin(offered, wanted)
    return found & (ranked != NO_ARTICLE)


def precision(found: NDArray[np.bool_], k: int) -> NDArray[np.float64]:
    """precision@k of each case, [cases]; ``found`` is what ``hits`` returns."""
    return found[:, :k].sum(axis=1) / k


def recall(found: NDArray[np.bool_], counts: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """recall@k of each case, [cases]; ``counts`` are the numbers of targets."""
    return found[:, :k].sum(axis=1) / counts


def ndcg(found: NDArray[np.bool_], counts: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """ndcg@k of each case with gains 0 and 1, [cases]."""
    discounts = 1.0 / np.log2(np.arange(2, k + 2))
    depth = min(k, found.shape[1])
    best = np.cumsum(discounts)[np.minimum(counts, k) - 1]
    return (found[:, :depth] * discounts[:depth]).sum(axis=1) / best


def average_precision(found: NDArray[np.bool_], counts: NDArray[np.int64], k: int) -> NDArray[np.float64]:
    """map@k's term of each case, [cases]: the Kaggle definition, divided by min(targets, k)."""
    top = found[:, :k]
    running = np.cumsum(top, axis=1) / np.arange(1, top.shape[1] + 1)
    return (top * running).sum(axis=1) / np.minimum(counts, k)


METRICS: tuple[str, ...] = (
    "map_at_12",
    *(f"{name}_at_{k}" for k in CUTS for name in ("precision", "recall", "ndcg")),
    "recall_at_100",
)


def measure(ranked: NDArray[np.int32], targets: Targets) -> dict[str, NDArray[np.float64]]:
    """Every metric of every case; the mean over cases is what tables show.

    Args:
        ranked: [cases, depth] articles, best first; give at least 100 ranks where recall@100 should mean something.
        targets: what was bought.

    Returns:
        metric name (see ``METRICS``) -> [cases].
    """
    found = hits(ranked, targets)
    counts = targets.counts
    values = {"map_at_12": average_precision(found, counts, 12), "recall_at_100": recall(found, counts, 100)}
    for k in CUTS:
        values[f"precision_at_{k}"] = precision(found, k)
        values[f"recall_at_{k}"] = recall(found, counts, k)
        values[f"ndcg_at_{k}"] = ndcg(found, counts, k)
    return {name: values[name] for name in METRICS}
