"""Which articles are worth ranking, through a request's filters."""

from __future__ import annotations

import numpy as np
import pytest

from serving.ranking.filters.allowed import Allowed
from serving.ranking.find_candidates import Candidates, find_candidates, source_order
from serving.retrieval.candidates import ABSENT, CandidateSet
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.source_precision import STEPS
from serving.retrieval.sources.category_trend import DepartmentTrendSource
from serving.retrieval.sources.source import Quota, RetrievalQuery
from serving.retrieval.sources.trending import TrendingSource
from tests.serving.retrieval_worlds import TODAY, ReleaseParts, bought, shop


def test_where_nearly_all_is_out_of_stock_the_sources_still_find_what_is_not() -> None:
    size = 1_000
    articles = shop(np.arange(size, 0, -1).tolist(), department=[1] * size)
    articles.in_stock[:] = np.arange(size) % 20 == 19
    quotas = (Quota(TrendingSource(), 400), Quota(DepartmentTrendSource(), 10))
    release = ReleaseParts(articles, ItemIndex(np.ones((size, 1), np.float32), 0.1, 0.0), quotas)
    query = RetrievalQuery(Customer.from_values("c", bought(("0000000001", 1)), articles, TODAY), articles)
    found = find_candidates(release, query, Allowed(articles))
    assert found.proposed.positions.tolist() == list(range(19, size, 20))
    assert "popular" not in found.shown_for
    assert (found.proposed.ranks[:, 1] >= 0).sum() == 5


def test_what_is_shut_out_takes_no_place_in_a_union_that_is_cut() -> None:
    size = 1_000
    articles = shop(np.arange(size, 0, -1).tolist())
    articles.in_stock[:50] = False  # one in twenty: sources need not look deeper
    quotas = (Quota(TrendingSource(), 450),)
    release = ReleaseParts(articles, ItemIndex(np.ones((size, 1), np.float32), 0.1, 0.0), quotas)
    query = RetrievalQuery(Customer.from_values("c", bought(("0000000001", 1)), articles, TODAY), articles)
    found = find_candidates(release, query, Allowed(articles))
    assert found.proposed.positions.tolist() == list(range(50, 450))


def candidates(ranks: list[list[int]], precision: list[float] | None) -> Candidates:
    """Of articles 0, 1, ... proposed by what was bought again and by the tower; their precision halves by step."""
    falling = 0.5 ** np.arange(len(STEPS), dtype=np.float32)
    size = len(ranks)
    proposed = CandidateSet(
        np.arange(size, dtype=np.int32),
        np.array(ranks, np.int32),
        np.zeros((size, 2), np.float32),
        ("bought_again", "tower"),
    )
    shown_for = np.full(size, "tower", dtype=object)
    places = np.full(size, ABSENT, np.int32)
    known = None if precision is None else [first * falling for first in precision]
    return Candidates(proposed, shown_for, places, known)


@pytest.mark.parametrize(
    ("precision", "order"),
    [
        ([0.4, 0.3], [3, 0, 2, 1]),  # 0.4 / 2 beside 0.3 is more than 0.4 alone
        ([0.4, 0.01], [0, 3, 1, 2]),
        ([0.0, 0.0], [0, 3, 1, 2]),  # as where it is not known
        (None, [0, 3, 1, 2]),
    ],
)
def test_without_a_ranker_the_likeliest_comes_first(precision: list[float] | None, order: list[int]) -> None:
    found = candidates([[0, ABSENT], [2, ABSENT], [ABSENT, 1], [1, 0]], precision)
    assert np.argsort(-source_order(found)).tolist() == order


@pytest.mark.parametrize("precision", [[0.4, 0.3], None])
def test_without_a_ranker_what_leads_comes_first_and_what_no_source_proposed_last(
    precision: list[float] | None,
) -> None:
    found = candidates([[0, 0], [ABSENT, 1], [ABSENT, ABSENT]], precision)
    found = found.joined_by("bought_with_viewed", np.array([1, 3], np.int32), leads=True)
    found = found.joined_by("popular", np.array([4], np.int32))
    assert np.argsort(-source_order(found)).tolist() == [1, 3, 0, 2, 4]
