"""What a shop gets from simple rules: the rows that a model has to beat."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.source import CandidateSource, RetrievalQuery
from towers.data.purchase_log import PurchaseLog
from towers.data.snapshot import Snapshot
from towers.evaluation.metrics import DEPTH, NO_ARTICLE
from towers.training.counts.past_shop import PastShop

POPULARITY_DAYS = 5
_LONGEST_PROPOSAL = 200


def popular(purchases: PurchaseLog, articles: int, today: int, days: int = POPULARITY_DAYS) -> npt.NDArray[np.int32]:
    """The best sellers of the last days before ``today``, ties to the lower position, [DEPTH] or all articles."""
    recent = purchases.before(today).since(today - days)
    units = np.bincount(recent.article, minlength=articles)
    return np.argsort(-units, kind="stable")[:DEPTH].astype(np.int32)


def rank_by_popularity(
    snapshot: Snapshot, purchases: PurchaseLog, days: int = POPULARITY_DAYS
) -> npt.NDArray[np.int32]:
    """The same best sellers for everyone, [cases, DEPTH]."""
    best = join_lists([popular(purchases, len(snapshot.articles), snapshot.day, days)])
    return np.tile(best, (len(snapshot.customers), 1))


def rank_by_bought_again(snapshot: Snapshot, purchases: PurchaseLog) -> npt.NDArray[np.int32]:
    """What the customer bought, the latest first, then the best sellers."""
    return _rank_by([BoughtAgainSource()], snapshot, purchases)


def rank_by_same_product(snapshot: Snapshot, purchases: PurchaseLog) -> npt.NDArray[np.int32]:
    """What the customer bought, then other articles of the same products, then the best sellers."""
    return _rank_by([BoughtAgainSource(), SameProductSource(snapshot.articles)], snapshot, purchases)


def rank_by_bought_together(snapshot: Snapshot, purchases: PurchaseLog) -> npt.NDArray[np.int32]:
    """What the customer bought, then what others bought with it, then the best sellers."""
    past = PastShop(snapshot.articles, purchases.before(snapshot.day), np.empty((len(snapshot.articles), 0)))
    return _rank_by([BoughtAgainSource(), BoughtTogetherSource.fit(past)], snapshot, purchases)


def _rank_by(sources: Sequence[CandidateSource], snapshot: Snapshot, purchases: PurchaseLog) -> npt.NDArray[np.int32]:
    ranked = rank_by_popularity(snapshot, purchases)
    rest = popular(purchases, len(snapshot.articles), snapshot.day)
    for case in np.flatnonzero(snapshot.warm).tolist():
        query = RetrievalQuery(snapshot.customers[case], snapshot.articles)
        ranked[case] = join_lists([*(source.propose(query, _LONGEST_PROPOSAL).positions for source in sources), rest])
    return ranked


def join_lists(lists: Sequence[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    """One list behind the other, each article once, filled up with ``NO_ARTICLE``, [DEPTH]."""
    joined = np.concatenate(lists)
    first = np.sort(np.unique(joined, return_index=True)[1])
    result = np.full(DEPTH, NO_ARTICLE, np.int32)
    chosen = joined[first][:DEPTH]
    result[: len(chosen)] = chosen
    return result
