"""What trends is worked out while nobody waits: by who follows the live columns, where somebody does."""

from __future__ import annotations

import numpy as np
import pytest

from serving.retrieval.articles import CATEGORIES, SALES_COLUMNS, ArticleTable
from serving.retrieval.customer import Customer
from serving.retrieval.sources.age_trend import AgeTrendSource
from serving.retrieval.sources.category_trend import DepartmentTrendSource, IndexGroupTrendSource
from serving.retrieval.sources.source import CandidateSource, RetrievalQuery
from serving.retrieval.sources.trending import TrendingSource
from tests.serving.retrieval_worlds import TODAY, bought, shop

SOURCES = [TrendingSource, DepartmentTrendSource, IndexGroupTrendSource, AgeTrendSource]


def table() -> ArticleTable:
    articles = shop([3, 2, 1, 0], department=[1, 1, 1, 1])
    articles.categories[:, CATEGORIES.index("index_group_name")] = 1
    articles.sales[:, SALES_COLUMNS.index("mean_buyer_age")] = 40
    return articles


def asked(source: CandidateSource, articles: ArticleTable) -> int:
    values = bought(("0000000001", 1)) | {"customer_profile:age": 40}
    query = RetrievalQuery(Customer.from_values("c", values, articles, TODAY), articles)
    return int(source.propose(query, 1).positions[0])


def sell_most(articles: ArticleTable, position: int) -> None:
    row = articles.activity[[position]].copy()
    row[:] = 50
    articles.update_activity(np.asarray([position], np.int32), row)


@pytest.mark.parametrize("kind", SOURCES)
def test_a_table_that_nobody_follows_is_looked_at_again_when_it_has_changed(kind: type[CandidateSource]) -> None:
    articles, source = table(), kind()
    assert asked(source, articles) == 0
    sell_most(articles, 3)
    assert asked(source, articles) == 3


@pytest.mark.parametrize("kind", SOURCES)
def test_of_one_that_is_followed_a_request_takes_what_there_is(kind: type[CandidateSource]) -> None:
    articles, source = table(), kind()
    source.refresh(articles)
    articles.is_followed = True
    sell_most(articles, 3)
    assert asked(source, articles) == 0
    source.refresh(articles)
    assert asked(source, articles) == 3


def test_totals_of_a_table_that_is_followed_are_summed_by_its_follower() -> None:
    articles = table()
    articles.refresh_totals()
    articles.is_followed = True
    sell_most(articles, 3)
    assert articles.totals_3d.shop == 6
    articles.refresh_totals()
    assert articles.totals_3d.shop == 56
