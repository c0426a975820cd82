"""The best that anybody could do, as rows of an evaluation of two customers whose purchases are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from math import log2

import numpy as np
import numpy.typing as npt
import pytest

from infra.base.calendar import date_of
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.source import Quota
from tests.towers.tower_worlds import FIRST_DAY, catalogue, snapshot_on
from towers.data.purchase_log import PurchaseLog
from towers.data.ranking_set import Retrieval
from towers.evaluation.evaluate import evaluate
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.known_best import OBSERVER, ORACLE
from towers.evaluation.rows import Subject

# (customer, article, day): on day 6 customer 0 buys article 0, customer 9 articles 1 and 5.
ROWS = [(0, 4, 0), (0, 0, 6), (9, 1, 6), (9, 5, 6)]
TRUTH = {"0": [0, 2, 3], "9": [5, 1, 4]}
GUESS = {"0": [2, 0, 3], "9": [5, 1, 4]}


class Best:
    """Ranks by what it is told."""

    def __init__(self, wanted: dict[str, list[int]], ids: Sequence[str]) -> None:
        self._wanted, self._ids = wanted, ids

    def rank(self, customer_ids: Sequence[str], day: date, k: int) -> list[npt.NDArray[np.str_]]:
        assert day == date_of(FIRST_DAY + 6)
        return [np.array([self._ids[article] for article in self._wanted[name]]) for name in customer_ids]


def measured(rows: Sequence[str], opened: list[str]) -> Evaluation:
    """The evaluation with both known bests at hand; ``opened`` gets those that were opened."""
    log = PurchaseLog(*(np.array(column, np.int32) for column in zip(*ROWS, strict=True)))
    log = PurchaseLog(log.customer, log.article, log.day + FIRST_DAY)
    snapshot = snapshot_on(catalogue(6), FIRST_DAY + 6, log)

    def opens(name: str, wanted: dict[str, list[int]]) -> Callable[[], Best]:
        def opening() -> Best:
            opened.append(name)
            return Best(wanted, snapshot.articles.ids)

        return opening

    known_best = {OBSERVER: opens(OBSERVER, GUESS), ORACLE: opens(ORACLE, TRUTH)}
    index = ItemIndex(np.eye(6, dtype=np.float32), temperature=1.0, prior_weight=0.0)
    retrieval = Retrieval.of(snapshot, index, [Quota(BoughtAgainSource(), 5)], np.eye(6, dtype=np.float32)[:2])
    numbers = np.array([0, 9], np.int32)
    subject = Subject(retrieval, lambda features: features[:, 0], log, numbers, known_best=known_best)
    assert opened == []
    return evaluate(subject, rows)


def test_who_knows_what_will_be_bought_has_an_ndcg_of_one_and_a_wrong_guess_costs_its_place() -> None:
    evaluation = measured(("popularity", OBSERVER), [])
    rows = evaluation.table["all"]
    assert rows[ORACLE]["ndcg_at_10"] == 1.0
    assert rows[ORACLE]["recall_at_12"] == 1.0
    # Of two customers one has the target in the second place, the other all of it in front.
    assert rows[OBSERVER]["ndcg_at_10"] == pytest.approx((1 / log2(3) + 1) / 2)
    assert evaluation.achievable_share("all") == rows["vitrine"]["ndcg_at_10"] < 1


def test_the_oracle_comes_with_its_shop_and_the_observer_when_it_is_asked() -> None:
    opened: list[str] = []
    assert OBSERVER not in measured(("popularity",), opened).cells["all"]
    assert opened == [ORACLE]
    opened.clear()
    measured(("popularity", OBSERVER), opened)
    assert opened == [OBSERVER, ORACLE]
