"""Stage 4: the articles worth ranking, from the release's sources, through the request's filters."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt

from serving.ranking.filters import Allowed
from serving.retrieval.articles import ArticleTable
from serving.retrieval.candidates import ABSENT, MOST_CANDIDATES, CandidateSet, Quota, collect, known_chances
from serving.retrieval.hit_chances import chance_of_each
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.cold_articles import ColdArticlesSource
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.similar_picture import SimilarPictureSource
from serving.retrieval.sources.source import Question
from serving.retrieval.sources.tower import TowerSource
from serving.retrieval.sources.trending import DEPARTMENT_TREND, INDEX_GROUP_TREND, AgeTrendSource, TrendingSource

CASCADE = (
    BoughtAgainSource.name,
    SameProductSource.name,
    BoughtTogetherSource.name,
    DEPARTMENT_TREND,
    TowerSource.name,
    SimilarPictureSource.name,
    INDEX_GROUP_TREND,
    AgeTrendSource.name,
    TrendingSource.name,
    ColdArticlesSource.name,
)
"""The sources by how much their first places are worth: the order to show where no ranker answers."""

_PLAIN = (BoughtAgainSource.name, SameProductSource.name)

CONTEXT_SIMILAR = "similar_to_viewed"
CONTEXT_TOGETHER = "bought_with_viewed"
LISTED = "listed"
POPULAR = "popular"

CONTEXT_ARTICLES = 30
LEAST_CANDIDATES = 100
"""So many are ranked however few are asked for, where the filters leave so many: all pages are cut from one order."""

_PLACES = 1_000_000  # more than a source ever proposes
_JOINED_WORTH = {LISTED: len(CASCADE) + 1, POPULAR: len(CASCADE) + 2}


class ReleaseView(Protocol):
    """What candidates are found in: a release, or in evaluation the same parts as of a past day."""

    @property
    def articles(self) -> ArticleTable: ...

    @property
    def index(self) -> ItemIndex: ...

    @property
    def quotas(self) -> Sequence[Quota]: ...


@dataclass(frozen=True)
class Candidates:
    """What is ranked: the sources' proposals, and articles that the request itself brought in."""

    proposed: CandidateSet  # articles of no source have ABSENT in every column
    winners: npt.NDArray[np.object_]  # [m] which source speaks for each article
    context_places: npt.NDArray[np.int32]  # [m] 0 = nearest to the viewed article, ABSENT where not akin to it

    def __len__(self) -> int:
        return len(self.proposed)


def find_candidates(
    release: ReleaseView, question: Question, allowed: Allowed, context: int = -1, only_trending: bool = False
) -> Candidates:
    """Ask the sources and keep what may be shown: at least ``LEAST_CANDIDATES`` where the filters leave so many.

    Args:
        context: position of the article being looked at; its like join in. -1 for none.
        only_trending: ask nothing that needs a known customer.
    """
    quotas = _trending(release.quotas) if only_trending else release.quotas
    # Where hardly anything is shut out, asking for more and filtering before the quotas would only cost time.
    most = None if only_trending else MOST_CANDIDATES
    proposed = _columns_of(release.quotas, collect(question, quotas, allowed if allowed.is_narrow else None, most))
    if not allowed.is_narrow:
        proposed = _rows(proposed, allowed(proposed.positions))
    winners = winning_sources(proposed, release.quotas)
    akin = _akin(release, allowed, context)
    for name, positions in akin.items():
        proposed, winners = _join(proposed, winners, positions, name)
        winners[np.isin(proposed.positions, positions)] = name
    if allowed.included is not None:
        listed = _by_sales(release.articles, allowed.included)
        proposed, winners = _join(proposed, winners, listed[allowed(listed)], LISTED)
    if len(proposed) < LEAST_CANDIDATES:
        popular = _best_sellers(release, allowed, proposed.positions, LEAST_CANDIDATES - len(proposed))
        proposed, winners = _join(proposed, winners, popular, POPULAR)
    context_places = np.full(len(proposed), ABSENT, np.int32)
    for place, position in enumerate(itertools.chain(*akin.values())):
        context_places[proposed.positions == position] = place
    return Candidates(proposed, winners, context_places)


def with_best_sellers(
    release: ReleaseView, found: Candidates, allowed: Allowed, left_out: npt.NDArray[np.int32], count: int
) -> Candidates:
    """The same candidates, and behind them the best sellers of all others, for pages that go on where they end.

    Args:
        left_out: positions that are not to join.
        count: so many join, where the filters leave so many.
    """
    known = np.concatenate([found.proposed.positions, left_out])
    popular = _best_sellers(release, allowed, known, count)
    proposed, winners = _join(found.proposed, found.winners, popular, POPULAR)
    places = np.pad(found.context_places, (0, popular.size), constant_values=ABSENT)
    return Candidates(proposed, winners, places)


def winning_sources(proposed: CandidateSet, quotas: Sequence[Quota]) -> npt.NDArray[np.object_]:
    """For each article the source to name as its reason, [m].

    What is plainly so comes first: bought before, another colour of it. Else it is the source likeliest to be right at
    the place it gave the article; where that is not known, the one that placed it highest.

    Args:
        quotas: of the sources, in the order of the columns.
    """
    if not proposed.sources:
        return np.full(len(proposed), POPULAR, dtype=object)
    by_worth = sorted(range(len(quotas)), key=lambda column: _worth(proposed.sources[column]))
    ranks, chances = proposed.ranks[:, by_worth], known_chances([quotas[column] for column in by_worth])
    names = np.array([proposed.sources[column] for column in by_worth], dtype=object)  # numpy's own would be cut
    merit = -ranks.astype(np.float32) if chances is None else chance_of_each(ranks, chances)
    merit[:, np.isin(names, _PLAIN)] = np.inf
    best = np.where(ranks == ABSENT, -np.inf, merit).argmax(axis=1) if len(proposed) else np.empty(0, np.int64)
    return names[best]


def source_order(candidates: Candidates) -> npt.NDArray[np.float32]:
    """Scores in the order of the sources' worth and then their own order: 1, 1/2, 1/3, ... [m]

    "Bought again, then other colours, then popular" is within a tenth of a ranker on H&M's data, and needs no model.
    """
    proposed = candidates.proposed
    size = len(proposed)
    # What no source proposed stands last, in the order it was joined; what is akin to a viewed article first.
    places = np.array([_JOINED_WORTH.get(winner, len(CASCADE)) for winner in candidates.winners.tolist()]) * _PLACES
    places += np.arange(size)
    for column, source in enumerate(proposed.sources):
        here = proposed.ranks[:, column] != ABSENT
        places[here] = np.minimum(places[here], _worth(source) * _PLACES + proposed.ranks[here, column])
    akin = candidates.context_places != ABSENT
    places[akin] = candidates.context_places[akin] - _PLACES
    scores = np.empty(size, np.float32)
    scores[np.argsort(places, kind="stable")] = 1.0 / np.arange(1, size + 1)
    return scores


def _worth(source: str) -> int:
    return CASCADE.index(source) if source in CASCADE else len(CASCADE) - 1


def _trending(quotas: Sequence[Quota]) -> list[Quota]:
    return [
        replace(quota, limit=max(quota.limit, 2 * LEAST_CANDIDATES))
        for quota in quotas
        if quota.source.name == TrendingSource.name
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


def _rows(proposed: CandidateSet, kept: npt.NDArray[np.bool_]) -> CandidateSet:
    if kept.all():
        return proposed
    return CandidateSet(proposed.positions[kept], proposed.ranks[kept], proposed.scores[kept], proposed.sources)


def _akin(release: ReleaseView, allowed: Allowed, context: int) -> dict[str, npt.NDArray[np.int32]]:
    """What belongs to the article being looked at and may be shown, by the reason why; each article once."""
    if context < 0:
        return {}
    together = np.empty(0, np.int32)
    for quota in release.quotas:
        if isinstance(quota.source, BoughtTogetherSource):
            together = quota.source.neighbours_of(context, CONTEXT_ARTICLES).positions
    similar, _ = release.index.similar(context, CONTEXT_ARTICLES)
    similar = similar[~np.isin(similar, together)]
    return {CONTEXT_TOGETHER: together[allowed(together)], CONTEXT_SIMILAR: similar[allowed(similar)]}


def _join(
    proposed: CandidateSet, winners: npt.NDArray[np.object_], positions: npt.NDArray[np.int32], name: str
) -> tuple[CandidateSet, npt.NDArray[np.object_]]:
    """Add articles that no source proposed, behind the others."""
    new = positions[~np.isin(positions, proposed.positions)]
    if new.size == 0:
        return proposed, winners
    joined = CandidateSet(
        np.concatenate([proposed.positions, new]).astype(np.int32),
        np.pad(proposed.ranks, ((0, new.size), (0, 0)), constant_values=ABSENT),
        np.pad(proposed.scores, ((0, new.size), (0, 0))),
        proposed.sources,
    )
    return joined, np.concatenate([winners, np.full(new.size, name, dtype=object)])


def _best_sellers(
    release: ReleaseView, allowed: Allowed, known: npt.NDArray[np.int32], count: int
) -> npt.NDArray[np.int32]:
    """The best selling articles of the whole catalogue that are allowed and not yet known, best first."""
    articles = release.articles
    free = allowed(np.arange(len(articles), dtype=np.int32))
    free[known] = False
    return _by_sales(articles, np.flatnonzero(free).astype(np.int32))[:count]


def _by_sales(articles: ArticleTable, positions: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """In the order of their sales of 3 days, of a month, of all time."""
    recent, month, ever = (
        np.nan_to_num(column[positions])
        for column in (articles.units_3d, articles.activity_column("units"), articles.sales_column("units"))
    )
    return positions[np.lexsort((positions, -ever, -month, -recent))]
