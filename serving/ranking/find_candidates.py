"""Stage 4: the articles worth ranking, from the sources of the release and of the request, through its filters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from serving.ranking.attribution import attribute
from serving.ranking.filters.allowed import Allowed
from serving.ranking.request_sources.popular import LEAST_CANDIDATES, Popular, other_best_sellers
from serving.ranking.request_sources.registry import REQUEST_SOURCES
from serving.retrieval.candidates import ABSENT, MOST_CANDIDATES, CandidateSet, collect, known_precision
from serving.retrieval.position_sets import are_among
from serving.retrieval.source_precision import precision_of_any
from serving.retrieval.sources.registry import SOURCE_NAMES
from serving.retrieval.sources.source import Quota, ReleaseView, RetrievalQuery
from serving.retrieval.sources.trending import TrendingSource

_PLACES = 1_000_000  # more than a source ever proposes
_WORTH = {name: worth for worth, name in enumerate((*SOURCE_NAMES, *(source.name for source in REQUEST_SOURCES)))}


@dataclass(frozen=True)
class Candidates:
    """What is ranked: the sources' proposals, and articles that the request itself brought in."""

    proposed: CandidateSet  # articles of no source have ABSENT in every column
    shown_for: npt.NDArray[np.object_]  # [m] name of the source that speaks for each article
    leading_places: npt.NDArray[np.int32]  # [m] among what leads, 0 = first; ABSENT where it does not
    precision: Sequence[npt.NDArray[np.float32]] | None = None  # of each source by rank; None where not known

    def __len__(self) -> int:
        return len(self.proposed)

    def joined_by(self, name: str, positions: npt.NDArray[np.int32], leads: bool = False) -> Candidates:
        """With the articles of a source of the request; those that no source proposed stand behind the others."""
        new = positions[~are_among(positions, self.proposed.positions)]
        proposed = CandidateSet(
            np.concatenate([self.proposed.positions, new]).astype(np.int32),
            np.pad(self.proposed.ranks, ((0, new.size), (0, 0)), constant_values=ABSENT),
            np.pad(self.proposed.scores, ((0, new.size), (0, 0))),
            self.proposed.sources,
        )
        shown_for = np.concatenate([self.shown_for, np.full(new.size, name, dtype=object)])
        places = np.pad(self.leading_places, (0, new.size), constant_values=ABSENT)
        if leads:
            shown_for[are_among(proposed.positions, positions)] = name
            first = places.max(initial=ABSENT) + 1
            for place, position in enumerate(positions.tolist(), first):
                places[proposed.positions == position] = place
        return Candidates(proposed, shown_for, places, self.precision)


def find_candidates(
    release: ReleaseView, query: RetrievalQuery, allowed: Allowed, only_trending: bool = False
) -> Candidates:
    """Ask the sources and keep what may be shown: at least ``LEAST_CANDIDATES`` where the filters leave so many.

    Args:
        only_trending: ask nothing that needs a known customer.
    """
    quotas = _trending(release.quotas) if only_trending else release.quotas
    most = None if only_trending else MOST_CANDIDATES
    proposed = _columns_of(release.quotas, collect(query, quotas, allowed, most, allowed.is_narrow))
    precision = None if only_trending else known_precision(release.quotas)  # of one source its own order stands
    nothing_leads = np.full(len(proposed), ABSENT, np.int32)
    found = Candidates(proposed, attribute(proposed, release.quotas), nothing_leads, precision)
    for source in REQUEST_SOURCES:
        positions = source.propose(release, query, allowed, found.proposed.positions)
        if positions.size:
            found = found.joined_by(source.name, positions, source.leads)
    return found


def with_best_sellers(
    release: ReleaseView, found: Candidates, allowed: Allowed, left_out: npt.NDArray[np.int32], count: int
) -> Candidates:
    """The same candidates, and behind them the best sellers of all others, for pages that go on where they end.

    Args:
        left_out: positions that are not to join.
        count: so many join, where the filters leave so many.
    """
    known = np.concatenate([found.proposed.positions, left_out])
    return found.joined_by(Popular.name, other_best_sellers(release, allowed, known, count))


def source_order(candidates: Candidates) -> npt.NDArray[np.float32]:
    """Scores 1, 1/2, 1/3, ... [m] in an order that needs no model.

    That is how likely any of the sources that propose an article is right there. Where that is not known, and among
    equals, it is the sources' worth and then their own order: "bought again, then other colours, then popular" is
    within a tenth of a ranker on H&M's data.
    """
    proposed = candidates.proposed
    size = len(proposed)
    # What no source proposed stands last, in the order it was joined; what leads stands first.
    places = np.array([max(_WORTH[name], len(SOURCE_NAMES)) for name in candidates.shown_for.tolist()]) * _PLACES
    places += np.arange(size)
    for column, source in enumerate(proposed.sources):
        here = proposed.ranks[:, column] != ABSENT
        places[here] = np.minimum(places[here], _WORTH[source] * _PLACES + proposed.ranks[here, column])
    leading = candidates.leading_places != ABSENT
    places[leading] = candidates.leading_places[leading] - _PLACES
    likely = np.zeros(size) if candidates.precision is None else precision_of_any(proposed.ranks, candidates.precision)
    scores = np.empty(size, np.float32)
    scores[np.lexsort((places, np.where(leading, -np.inf, -likely)))] = 1.0 / np.arange(1, size + 1)
    return scores


def _trending(quotas: Sequence[Quota]) -> list[Quota]:
    return [
        replace(quota, limit=max(quota.limit, 2 * LEAST_CANDIDATES))
        for quota in quotas
        if isinstance(quota.source, TrendingSource)
    ]


def _columns_of(quotas: Sequence[Quota], proposed: CandidateSet) -> CandidateSet:
    """The same candidates with a column for every source of the release: the ranker expects them all."""
    names = tuple(quota.source.name for quota in quotas)
    if proposed.sources == names:
        return proposed
    ranks = np.full((len(proposed), len(names)), ABSENT, np.int32)
    scores = np.zeros((len(proposed), len(names)), np.float32)
    for column, name in enumerate(proposed.sources):
        ranks[:, names.index(name)] = proposed.ranks[:, column]
        scores[:, names.index(name)] = proposed.scores[:, column]
    return CandidateSet(proposed.positions, ranks, scores, names)
