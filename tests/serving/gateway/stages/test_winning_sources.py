"""Which source an article is shown for."""

import numpy as np
import pytest

from serving.ranking.find_candidates import POPULAR, winning_sources
from serving.retrieval.candidates import CandidateSet, Quota
from serving.retrieval.hit_chances import STEPS
from serving.retrieval.sources.trending import TrendingSource

SOURCES = ("trending", "bought_together", "tower")
RANKS = np.array([[0, 3, -1], [2, -1, 1], [5, 5, 5], [-1, -1, 9]], np.int32)


def proposed(ranks: np.ndarray, sources: tuple[str, ...] = SOURCES) -> CandidateSet:
    size = len(ranks)
    return CandidateSet(np.arange(size, dtype=np.int32), ranks, np.zeros(ranks.shape, np.float32), sources)


def quotas(*chances: float) -> list[Quota]:
    """A chance for each source, halved at every step."""
    falling = 0.5 ** np.arange(len(STEPS))
    return [Quota(TrendingSource(), 10, (chance * falling).astype(np.float32)) for chance in chances]


def test_the_source_likeliest_to_be_right_at_its_place() -> None:
    # What goes together is right so often that its fourth place says more than the first best seller.
    winners = winning_sources(proposed(RANKS), quotas(0.01, 0.4, 0.02))
    assert winners.tolist() == ["bought_together", "tower", "bought_together", "tower"]


@pytest.mark.parametrize("known", [quotas(0.4, 0.1, 0.01), [Quota(TrendingSource(), 10)] * 3])
def test_what_is_plainly_so_comes_first(known: list[Quota]) -> None:
    sources = ("bought_together", "same_product", "bought_again")
    ranks = np.array([[0, 9, -1], [0, 1, 9], [0, -1, -1]], np.int32)
    winners = winning_sources(proposed(ranks, sources), known)
    assert winners.tolist() == ["same_product", "bought_again", "bought_together"]


def test_without_known_chances_the_highest_place_and_then_what_is_worth_more() -> None:
    winners = winning_sources(proposed(RANKS), [Quota(TrendingSource(), 10)] * 3)
    assert winners.tolist() == ["trending", "tower", "bought_together", "tower"]


def test_a_source_that_did_not_propose_never_wins() -> None:
    assert winning_sources(proposed(RANKS), quotas(0.0, 0.0, 0.0)).tolist()[3] == "tower"
    assert winning_sources(proposed(RANKS[:0]), quotas(0.1, 0.1, 0.1)).tolist() == []
    none_asked = CandidateSet(np.zeros(1, np.int32), np.empty((1, 0), np.int32), np.empty((1, 0), np.float32), ())
    assert winning_sources(none_asked, []).tolist() == [POPULAR]
