"""Which source an article is shown for."""

from typing import Any

import numpy as np
import pytest

from serving.ranking.attribution import attribute
from serving.retrieval.candidates import CandidateSet
from serving.retrieval.source_precision import STEPS
from serving.retrieval.sources.registry import source_class
from serving.retrieval.sources.source import CandidateSource, Quota
from tests.serving.retrieval_worlds import shop
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.past_shop import PastShop

SOURCES = ("trending", "bought_together", "tower")
RANKS = np.array([[0, 3, -1], [2, -1, 1], [5, 5, 5], [-1, -1, 9]], np.int32)


def proposed(ranks: np.ndarray, sources: tuple[str, ...] = SOURCES) -> CandidateSet:
    size = len(ranks)
    return CandidateSet(np.arange(size, dtype=np.int32), ranks, np.zeros(ranks.shape, np.float32), sources)


def quotas(*first: float, sources: tuple[str, ...] = SOURCES) -> list[Quota]:
    """The precision of each source at its first place, halved at every step; without any, not known."""
    falling = 0.5 ** np.arange(len(STEPS))
    known: list[Any] = [(precision * falling).astype(np.float32) for precision in first] or [None] * len(sources)
    return [Quota(made(name), 10, precision) for name, precision in zip(sources, known, strict=True)]


def made(name: str) -> CandidateSource:
    nothing = PurchaseLog(*(np.empty(0, np.int32) for _ in range(3)))
    return source_class(name).fit(PastShop(shop([1.0]), nothing, np.ones((1, 1))))


def test_the_source_likeliest_to_be_right_at_its_place() -> None:
    # What goes together is right so often that its fourth place says more than the first best seller.
    shown_for = attribute(proposed(RANKS), quotas(0.01, 0.4, 0.02))
    assert shown_for.tolist() == ["bought_together", "tower", "bought_together", "tower"]


@pytest.mark.parametrize("first", [(0.4, 0.1, 0.01), ()])
def test_what_is_evident_comes_first(first: tuple[float, ...]) -> None:
    sources = ("bought_together", "same_product", "bought_again")
    ranks = np.array([[0, 9, -1], [0, 1, 9], [0, -1, -1]], np.int32)
    shown_for = attribute(proposed(ranks, sources), quotas(*first, sources=sources))
    assert shown_for.tolist() == ["same_product", "bought_again", "bought_together"]


def test_without_known_precision_the_highest_place_and_then_what_is_worth_more() -> None:
    shown_for = attribute(proposed(RANKS), quotas())
    assert shown_for.tolist() == ["trending", "tower", "bought_together", "tower"]


def test_a_source_that_did_not_propose_never_wins() -> None:
    assert attribute(proposed(RANKS), quotas(0.0, 0.0, 0.0)).tolist()[3] == "tower"
    assert attribute(proposed(RANKS[:0]), quotas(0.1, 0.1, 0.1)).tolist() == []
    none_asked = CandidateSet(np.zeros(1, np.int32), np.empty((1, 0), np.int32), np.empty((1, 0), np.float32), ())
    assert attribute(none_asked, []).tolist() == ["popular"]
