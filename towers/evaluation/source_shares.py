"""What each candidate source is worth: what it finds, what would be lost without it, and what it brings to the top."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from towers.evaluation.slices import Slice

TOP = 12


@dataclass(frozen=True)
class SourceWorth:
    """One source on one slice."""

    recall: float  # share of a case's targets that it proposes, mean over cases
    marginal_recall: float  # of that, what no other source proposes
    share_of_hits: float  # of the targets among the first TOP shown, those that it proposed; sources overlap
    only_source_of_hits: float  # and those that nothing else proposed


def source_worth(
    part: Slice, sources: tuple[str, ...], proposed: npt.NDArray[np.int32], ranks: npt.NDArray[np.int32]
) -> dict[str, SourceWorth]:
    """Every source's worth on a slice.

    Args:
        part: the slice.
        sources: names in the order of the bits.
        proposed: [targets in all] bit i is set where the i-th source proposed the target to its customer.
        ranks: [targets in all] of the served lists.
    """
    bits, hit = proposed[part.rows], ranks[part.rows] < TOP
    hits = max(int(hit.sum()), 1)
    worth = {}
    for number, name in enumerate(sources):
        found, alone = (bits >> number & 1) == 1, bits == 1 << number
        worth[name] = SourceWorth(
            _mean_share(part, found), _mean_share(part, alone), (found & hit).sum() / hits, (alone & hit).sum() / hits
        )
    return worth


def union_recall(part: Slice, proposed: npt.NDArray[np.int32]) -> float:
    """Share of a case's targets that any source proposes, mean over the slice's cases."""
    return _mean_share(part, proposed[part.rows] > 0)


def _mean_share(part: Slice, chosen: npt.NDArray[np.bool_]) -> float:
    counts = np.bincount(part.targets.cases, chosen, len(part.targets))
    return float((counts / part.targets.counts).mean())
