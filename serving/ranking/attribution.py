"""Which source each candidate is shown for: the one its reason comes from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from serving.ranking.request_sources.popular import Popular
from serving.retrieval.candidates import ABSENT, CandidateSet, known_precision
from serving.retrieval.source_precision import precision_of_each
from serving.retrieval.sources.registry import SOURCE_NAMES
from serving.retrieval.sources.source import Quota


def attribute(proposed: CandidateSet, quotas: Sequence[Quota]) -> npt.NDArray[np.object_]:
    """For each article the name of a source that proposed it, [m].

    What is evident comes first: bought before, another colour of it. Else it is the source likeliest to be right at
    the rank it gave the article; where that is not known, the one that ranked it highest.

    Args:
        quotas: of the sources, in the order of the columns.
    """
    if not proposed.sources:
        return np.full(len(proposed), Popular.name, dtype=object)
    by_worth = sorted(range(len(quotas)), key=lambda column: SOURCE_NAMES.index(proposed.sources[column]))
    in_order = [quotas[column] for column in by_worth]
    ranks, precision = proposed.ranks[:, by_worth], known_precision(in_order)
    names = np.array([proposed.sources[column] for column in by_worth], dtype=object)  # numpy's own would be cut
    merit = -ranks.astype(np.float32) if precision is None else precision_of_each(ranks, precision)
    merit[:, [quota.source.is_evident for quota in in_order]] = np.inf
    best = np.where(ranks == ABSENT, -np.inf, merit).argmax(axis=1) if len(proposed) else np.empty(0, np.int64)
    return names[best]
