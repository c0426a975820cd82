"""The union of what the sources propose for one customer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.retrieval.position_sets import distinct
from serving.retrieval.source_precision import precision_of_any
from serving.retrieval.sources.source import Quota, RetrievalQuery

ABSENT = -1
MOST_CANDIDATES = 400
"""So many are ranked at most, however much a customer has bought: it bounds the time of a request."""

Mask = Callable[[npt.NDArray[np.int32]], npt.NDArray[np.bool_]]
"""Tells which positions may be shown."""


@dataclass(frozen=True)
class CandidateSet:
    """Distinct articles with each source's rank and score; columns in the order of ``sources``."""

    positions: npt.NDArray[np.int32]  # [m]
    ranks: npt.NDArray[np.int32]  # [m, sources] 0 = first, ABSENT where the source did not propose it
    scores: npt.NDArray[np.float32]  # [m, sources] 0 where absent
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return self.positions.size

    def column(self, source: str) -> int | None:
        """The column of a source, None if the release has no such source."""
        return self.sources.index(source) if source in self.sources else None


def collect(
    query: RetrievalQuery,
    quotas: Sequence[Quota],
    allowed: Mask | None = None,
    most: int | None = MOST_CANDIDATES,
    is_narrow: bool = True,
) -> CandidateSet:
    """Ask every source and unite the answers, in order of position.

    Args:
        allowed: filters articles before a large union is cut.
        is_narrow: whether it may shut out many: then it filters *before* the quotas are filled, and sources are asked
            for more, so that a filtered request still gets its number. Else that would only cost time.
        most: of a larger union those are kept that are likeliest to be bought, going by how often the sources were
            right at these places. Where that is not known, those that stand highest in a source, as a share of its
            quota: as if all quotas were cut by the same factor. None keeps all.
    """
    names = tuple(quota.source.name for quota in quotas)
    narrow = allowed if is_narrow else None
    proposals = []
    for quota in quotas:
        # Behind a filter, look deeper before giving up.
        proposal = quota.source.propose(query, quota.limit if narrow is None else quota.limit * 10)
        positions, scores = proposal.positions, proposal.scores
        if narrow is not None:
            kept = narrow(positions)
            positions, scores = positions[kept][: quota.limit], scores[kept][: quota.limit]
        proposals.append((positions, scores))
    union = distinct(np.concatenate([positions for positions, _ in proposals])) if proposals else np.empty(0, np.int32)
    ranks = np.full((union.size, len(quotas)), ABSENT, np.int32)
    values = np.zeros((union.size, len(quotas)), np.float32)
    for column, (positions, scores) in enumerate(proposals):
        rows = np.searchsorted(union, positions)
        ranks[rows, column] = np.arange(positions.size)
        values[rows, column] = scores
    if allowed is not None and narrow is None and union.size:
        kept = allowed(union)
        if not kept.all():
            union, ranks, values = union[kept], ranks[kept], values[kept]
    if most is not None and union.size > most:
        kept = np.sort(np.lexsort((union, -_worth(ranks, quotas), ~_reserved(ranks, quotas)))[:most])
        union, ranks, values = union[kept], ranks[kept], values[kept]
    return CandidateSet(union.astype(np.int32), ranks, values, names)


def known_precision(quotas: Sequence[Quota]) -> list[npt.NDArray[np.float32]] | None:
    """How often each source was right at each place; None if that is not known of all."""
    precision = [quota.precision for quota in quotas if quota.precision is not None]
    return precision if len(precision) == len(quotas) else None


def _worth(ranks: npt.NDArray[np.int32], quotas: Sequence[Quota]) -> npt.NDArray[np.float64]:
    """How much each of a union deserves to be kept, [m]."""
    precision = known_precision(quotas)
    if precision is not None:
        return precision_of_any(ranks, precision)
    shares = (ranks + 1) / np.array([quota.limit for quota in quotas])
    worth: npt.NDArray[np.float64] = -np.where(ranks == ABSENT, np.inf, shares).min(axis=1)
    return worth


def _reserved(ranks: npt.NDArray[np.int32], quotas: Sequence[Quota]) -> npt.NDArray[np.bool_]:
    """Which of a union stay, whatever they are worth, [m]."""
    places = np.array([quota.source.reserved for quota in quotas])
    reserved: npt.NDArray[np.bool_] = ((ranks != ABSENT) & (ranks < places)).any(axis=1)
    return reserved
