"""The ranker's training rows: the gateway's own candidates as of past mornings, labelled by what was then bought.

The very same code as in the gateway proposes candidates and computes features (``serving.retrieval``); its tables are
those of the morning: neighbours, item vectors and popularity come from purchases before the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from infra.base.progress import progress_bar
from serving.ranking.ranking_features import ranking_features
from serving.retrieval.articles import ArticleTable
from serving.retrieval.candidates import CandidateSet, collect
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.source import Proposal, Quota, RetrievalQuery
from serving.retrieval.sources.tower import TowerSource
from towers.data.negatives import sample_negatives
from towers.data.snapshot import Snapshot


class AnsweredTowerSource(TowerSource):
    """The tower source with all customers' answers looked up at once: one pass over the index serves a thousand."""

    def __init__(
        self, index: ItemIndex, customers: Sequence[Customer], queries: npt.NDArray[np.float32], limit: int
    ) -> None:
        """Args:
        queries: embeddings of ``customers``, [customers, dim].
        limit: the most that will be asked for.
        """
        self._row = {customer.customer_id: row for row, customer in enumerate(customers)}
        self._positions, self._scores = index.search_many(queries, limit)

    def propose(self, query: RetrievalQuery, limit: int) -> Proposal:
        row = self._row[query.customer.customer_id]
        return Proposal(self._positions[row, :limit], self._scores[row, :limit])


@dataclass(frozen=True)
class Retrieval:
    """Everything that proposes candidates on one day."""

    snapshot: Snapshot
    index: ItemIndex
    quotas: tuple[Quota, ...]
    query_embeddings: npt.NDArray[np.float32]  # [customers of the snapshot, dim]

    @classmethod
    def of(
        cls, snapshot: Snapshot, index: ItemIndex, quotas: Sequence[Quota], query_embeddings: npt.NDArray[np.float32]
    ) -> Retrieval:
        """With the tower source's answers to all customers looked up at once."""
        answered = [
            replace(quota, source=AnsweredTowerSource(index, snapshot.customers, query_embeddings, quota.limit))
            if isinstance(quota.source, TowerSource)
            else quota
            for quota in quotas
        ]
        return cls(snapshot, index, tuple(answered), query_embeddings)

    @property
    def articles(self) -> ArticleTable:
        """The release's articles as of the day."""
        return self.snapshot.articles

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources' names in order."""
        return tuple(quota.source.name for quota in self.quotas)

    def query(self, case: int) -> RetrievalQuery:
        """One customer's request, as the gateway puts it to the sources."""
        return RetrievalQuery(self.snapshot.customers[case], self.articles, self.query_embeddings[case], self.index)

    def candidates(self, case: int) -> CandidateSet:
        """The candidates of one customer, as the gateway collects them without filters."""
        return collect(self.query(case), self.quotas)

    def features(self, case: int, candidates: CandidateSet) -> npt.NDArray[np.float32]:
        """The ranker's inputs for these candidates, [candidates, features]."""
        customer = self.snapshot.customers[case]
        return ranking_features(customer, candidates, self.snapshot.articles, self.index, self.query_embeddings[case])


@dataclass(frozen=True)
class RankingSet:
    """Candidates of many customers on some days, packed."""

    features: npt.NDArray[np.float32]  # [rows, features] raw, NaN = missing
    bought: npt.NDArray[np.bool_]  # [rows]
    kept_share: npt.NDArray[np.float32]  # [rows] share of the customer's negatives that was kept
    case_rows: npt.NDArray[np.int32]  # [cases] how many rows each customer has, in order

    def __len__(self) -> int:
        return len(self.bought)


def make_ranking_set(
    retrievals: Iterable[Retrieval],
    cases: int,
    negatives_per_customer: int,
    rng: np.random.Generator,
    only_new_products: bool = False,
) -> RankingSet:
    """Collect, label and thin out the candidates of every customer of some days.

    Args:
        retrievals: one a day; taken one by one, so that only one day's tables are in memory.
        cases: customers in all of them, for the progress bar.
        negatives_per_customer: candidates to keep of those that were not bought.
        only_new_products: leave out candidates of products that the customer has bought before.

    Customers none of whose candidates was bought count, too: without them the ranker never learns how rarely anything
    is bought by those of whom little is known. They give half as many negatives.
    """
    features, bought, kept_share, case_rows = [], [], [], []
    with progress_bar(f"candidates of {cases:,} customers", cases) as advance:
        for retrieval in retrievals:
            targets = retrieval.snapshot.targets
            for case in range(len(retrieval.snapshot.customers)):
                advance(1)
                candidates = retrieval.candidates(case)
                if only_new_products:
                    candidates = _of_new_products(candidates, retrieval.snapshot, case)
                wanted = targets.articles[targets.offsets[case] : targets.offsets[case + 1]]
                labels = np.isin(candidates.positions, wanted)
                limit = negatives_per_customer if labels.any() else negatives_per_customer // 2
                rows, share = sample_negatives(labels, limit, rng)
                features.append(retrieval.features(case, _chosen(candidates, rows)))
                bought.append(labels[rows])
                kept_share.append(np.full(len(rows), share, np.float32))
                case_rows.append(len(rows))
    return RankingSet(
        np.concatenate(features), np.concatenate(bought), np.concatenate(kept_share), np.asarray(case_rows, np.int32)
    )


def _of_new_products(candidates: CandidateSet, snapshot: Snapshot, case: int) -> CandidateSet:
    product = snapshot.articles.product
    known = product[snapshot.customers[case].bought]
    return _chosen(candidates, np.flatnonzero(~np.isin(product[candidates.positions], known)))


def _chosen(candidates: CandidateSet, rows: npt.NDArray[np.int64]) -> CandidateSet:
    # Features of one candidate do not depend on the others.
    return CandidateSet(candidates.positions[rows], candidates.ranks[rows], candidates.scores[rows], candidates.sources)
