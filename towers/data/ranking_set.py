"""The ranker's training rows: the gateway's own candidates as of past mornings, labelled by what was then bought.

The very same code as in the gateway proposes candidates and computes features (``serving.retrieval``); its tables are
those of the morning: neighbours, item vectors and popularity come from purchases before the day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from infra.base.progress import progress_bar
from serving.ranking.ranking_features import ranking_features
from serving.retrieval.candidates import CandidateSet, Quota, collect
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.source import Proposal, Question
from serving.retrieval.sources.tower import TowerSource
from towers.data.negatives import sample_negatives
from towers.data.snapshot import Snapshot


class AnsweredTowerSource:
    """The tower source with all customers' answers looked up at once: one pass over the index serves a thousand."""

    name = TowerSource.name

    def __init__(
        self, index: ItemIndex, customers: Sequence[Customer], queries: npt.NDArray[np.float32], limit: int
    ) -> None:
        """Args:
        queries: embeddings of ``customers``, [customers, dim].
        limit: the most that will be asked for.
        """
        self._row = {customer.customer_id: row for row, customer in enumerate(customers)}
        self._positions, self._scores = index.search_many(queries, limit)

    def propose(self, question: Question, limit: int) -> Proposal:
        row = self._row[question.customer.customer_id]
        return Proposal(self._positions[row, :limit], self._scores[row, :limit])


@dataclass(frozen=True)
class Retrieval:
    """Everything that proposes candidates on one day."""

    snapshot: Snapshot
    index: ItemIndex
    quotas: Sequence[Quota]
    query_embeddings: npt.NDArray[np.float32]  # [customers of the snapshot, dim]

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources' names in order."""
        return tuple(quota.source.name for quota in self.quotas)

    def question(self, case: int) -> Question:
        """One customer's request, as the gateway puts it to the sources."""
        return Question(self.snapshot.customers[case], self.snapshot.articles, self.query_embeddings[case])

    def candidates(self, case: int) -> CandidateSet:
        """The candidates of one customer, as the gateway collects them without filters."""
        return collect(self.question(case), self.quotas)

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
