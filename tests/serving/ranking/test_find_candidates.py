"""Which articles are worth ranking, through a request's filters."""

from __future__ import annotations

import numpy as np

from serving.ranking.filters.allowed import Allowed
from serving.ranking.find_candidates import find_candidates
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
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
