"""The rows of the comparison by name, and the lists of each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

import numpy as np
import numpy.typing as npt

from infra.base.calendar import date_of
from infra.base.errors import UserError
from infra.base.progress import console
from towers.data.purchase_log import PurchaseLog
from towers.data.ranking_set import RankingSet, Retrieval
from towers.data.snapshot import Snapshot
from towers.evaluation.known_best import OBSERVER, ORACLE, KnownBest, KnownBestRows
from towers.evaluation.metrics import DEPTH, NO_ARTICLE
from towers.evaluation.peers.baselines import (
    rank_by_bought_again,
    rank_by_bought_together,
    rank_by_popularity,
    rank_by_same_product,
)
from towers.evaluation.peers.contenders import HeadScorer, rank_by_head, rank_by_towers
from towers.evaluation.peers.implicit import Model, rank_by_implicit
from towers.evaluation.peers.trees import Objective, train_trees
from towers.evaluation.served.order import SERVED, UNARRANGED, Scorer, ServedOrder, rank_candidates

WINDOWS = {"trending 1 day": 1, "trending 2 days": 2, "trending 3 days": 3, "popularity": 5}
"""Best sellers of the last so many days."""
RULES: Mapping[str, Callable[[Snapshot, PurchaseLog], npt.NDArray[np.int32]]] = {
    **{row: partial(rank_by_popularity, days=days) for row, days in WINDOWS.items()},
    "bought again": rank_by_bought_again,
    "same product": rank_by_same_product,
    "bought together": rank_by_bought_together,
}
IMPLICIT: Mapping[str, Model] = {"als": "als", "bpr": "bpr", "bm25": "bm25"}
TOWERS = ("two towers", "two-stage head")
TREES: Mapping[str, Objective] = {"lightgbm": "binary", "lambdarank": "lambdarank"}
GROUPS = {"rules": RULES, "implicit": IMPLICIT, "towers": TOWERS, "trees": TREES}
ALL_ROWS = (*RULES, *IMPLICIT, *TOWERS, *TREES, OBSERVER)
QUICK_ROWS = (*RULES, *TOWERS)
"""What training shows: nothing that has to be trained beside it."""


@dataclass(frozen=True)
class Subject:
    """What is measured: the release's parts as of one morning, and what its peers may learn from."""

    retrieval: Retrieval
    scorer: Scorer  # the ranker
    purchases: PurchaseLog  # each row uses what is dated before the snapshot's day
    log_customers: npt.NDArray[np.int32]  # [cases] as the log numbers them, -1 where it does not know them
    head: HeadScorer | None = None  # the two-stage model's; without it that row is left out
    training_rows: RankingSet | None = None  # the ranker's; without them the trees are left out
    known_best: KnownBestRows = field(default_factory=dict)  # of a synthetic shop
    seed: int = 7

    @property
    def day(self) -> date:
        """The day whose purchases are to be found."""
        return date_of(self.retrieval.snapshot.day)


def chosen_rows(text: str | None) -> tuple[str, ...]:
    """The rows that ``--rows`` names, by name or group, in the table's order; all without it.

    Raises:
        UserError: there is no such row.
    """
    if text is None:
        return ALL_ROWS
    chosen: set[str] = set()
    for word in (part.strip() for part in text.split(",")):
        name = word.replace("_", " ") if word not in ALL_ROWS else word
        if word not in GROUPS and name not in ALL_ROWS:
            raise UserError(
                f"--rows names {word!r}; expected groups ({', '.join(GROUPS)}) or rows ({', '.join(ALL_ROWS)})"
            )
        chosen |= set(GROUPS.get(word, (name,)))
    return tuple(row for row in ALL_ROWS if row in chosen)


def served_order(subject: Subject, rows: Sequence[str]) -> ServedOrder:
    """Vitrine's lists, and those of the chosen trees on the same candidates."""
    trees: dict[str, Scorer] = {}
    if subject.training_rows is not None:
        for row, objective in TREES.items():
            if row in rows:
                console.print(f"  training {row} on the ranker's {len(subject.training_rows):,} rows", highlight=False)
                trees[row] = train_trees(objective, subject.training_rows, subject.seed)
    return rank_candidates(subject.retrieval, subject.scorer, trees)


def lists(subject: Subject, rows: Sequence[str], order: ServedOrder) -> Iterator[tuple[str, npt.NDArray[np.int32]]]:
    """Yield row by row name and lists [cases, DEPTH], so that one after the other is in memory."""
    snapshot, purchases = subject.retrieval.snapshot, subject.purchases
    for row in rows:
        if row in RULES:
            yield row, RULES[row](snapshot, purchases)
        elif row in IMPLICIT:
            yield row, rank_by_implicit(IMPLICIT[row], snapshot, purchases, subject.log_customers, subject.seed)
        elif row == "two towers":
            yield row, rank_by_towers(subject.retrieval)
        elif row == "two-stage head" and subject.head is not None:
            yield row, rank_by_head(subject.retrieval, subject.head)
    yield from ((row, order.rankings[row]) for row in TREES if row in order.rankings)
    yield UNARRANGED, order.rankings[UNARRANGED]
    yield SERVED, order.rankings[SERVED]
    yield from (
        (row, _rank_by(best(), subject)) for row, best in subject.known_best.items() if row == ORACLE or row in rows
    )


def _rank_by(best: KnownBest, subject: Subject) -> npt.NDArray[np.int32]:
    snapshot = subject.retrieval.snapshot
    customers = [customer.customer_id for customer in snapshot.customers]
    ranked = np.full((len(customers), DEPTH), NO_ARTICLE, np.int32)
    lists_of_ids = best.rank(customers, subject.day, min(DEPTH, len(snapshot.articles)))
    for row, ids in enumerate(lists_of_ids):
        ranked[row, : len(ids)] = snapshot.articles.positions([str(article_id) for article_id in ids])
    return ranked
