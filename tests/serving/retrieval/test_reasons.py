"""Why a source proposed an article, in words for the shopper."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from infra.base.errors import UserError
from serving.retrieval.articles import CATEGORIES, ArticleTable
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.age_trend import AgeTrendSource
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.category_trend import DepartmentTrendSource
from serving.retrieval.sources.cold_articles import ColdArticlesSource
from serving.retrieval.sources.registry import SOURCE_NAMES, source_class
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.source import CandidateSource, RetrievalQuery, bought_ago
from serving.retrieval.sources.tower import TowerSource
from serving.retrieval.sources.trending import TrendingSource
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = shop([4, 3, 2, 1], product=[0, 0, 1, 2], department=[1, 1, 2, 2])
GOES_WITH = BoughtTogetherSource(np.array([[2], [2], [-1], [-1]], np.int32), np.array([[0.5]] * 4, np.float32))
QUERY = RetrievalQuery(
    Customer.from_values("c", bought(("0000000001", 3), ("0000000002", 40)), ARTICLES, TODAY), ARTICLES
)
STRANGER = RetrievalQuery(Customer.from_values("d", {}, ARTICLES, TODAY), ARTICLES)


@pytest.mark.parametrize(
    ("source", "query", "position", "words"),
    [
        (BoughtAgainSource(), QUERY, 1, "You bought this 40 days ago"),
        (BoughtAgainSource(), QUERY, 3, None),
        (SameProductSource(ARTICLES), QUERY, 1, "Another colour of Product 1, bought 3 days ago"),
        (SameProductSource(ARTICLES), QUERY, 3, None),
        (GOES_WITH, QUERY, 2, "Goes with Product 1, bought 3 days ago"),
        (GOES_WITH, QUERY, 3, None),
        (DepartmentTrendSource(), QUERY, 3, "Trending in value 2, where you shop"),
        (AgeTrendSource(), QUERY, 3, "Trending among shoppers of your age"),
        (TowerSource(), QUERY, 3, "Like what you bought lately"),
        (TowerSource(), STRANGER, 3, "Chosen by shoppers like you"),
        (ColdArticlesSource(), QUERY, 3, "A rare find, like what you bought lately"),
        (ColdArticlesSource(), STRANGER, 3, "A rare find"),
        (TrendingSource(), QUERY, 3, None),
    ],
)
def test_a_source_says_why(source: CandidateSource, query: RetrievalQuery, position: int, words: str | None) -> None:
    assert source.reason(query, position) == words


@pytest.mark.parametrize(
    ("days", "words"),
    [(-1, "today"), (0, "today"), (1, "yesterday"), (59, "59 days ago"), (60, "2 months ago"), (400, "13 months ago")],
)
def test_how_long_ago(days: int, words: str) -> None:
    customer = Customer.from_values("c", bought(("0000000001", 0)), ARTICLES, TODAY)
    assert bought_ago(replace(customer, bought_last_day=np.array([TODAY - days], np.int32)), 0) == words


def test_a_source_is_found_by_its_name_or_the_known_ones_are_told() -> None:
    assert [source_class(name).name for name in SOURCE_NAMES] == list(SOURCE_NAMES)
    with pytest.raises(UserError, match=r"no candidate source 'best' .* expected one of bought_again, same_product"):
        source_class("best")


def test_a_source_without_anything_to_learn_comes_back_as_it_was(tmp_path) -> None:
    for kind in (BoughtAgainSource, DepartmentTrendSource, AgeTrendSource, ColdArticlesSource):
        made = kind()
        made.save(tmp_path / kind.name)
        assert not (tmp_path / kind.name).exists()
        assert isinstance(kind.load(tmp_path / kind.name, ARTICLES), kind)


def test_where_nothing_of_the_customers_departments_sells_their_trend_is_silent() -> None:
    articles: ArticleTable = shop([0, 0, 5, 5], department=[1, 1, 2, 2])
    articles.categories[:, CATEGORIES.index("index_group_name")] = 1
    query = RetrievalQuery(Customer.from_values("c", bought(("0000000001", 3)), articles, TODAY), articles)
    assert DepartmentTrendSource().propose(query, 5).positions.tolist() == []


def test_the_towers_sources_are_silent_without_an_index_or_an_embedding() -> None:
    index = ItemIndex(np.eye(4, dtype=np.float32), 0.1, 1.0)
    for source in (TowerSource(), ColdArticlesSource()):
        assert source.propose(replace(QUERY, index=index), 3).positions.size == 0
        assert source.propose(replace(QUERY, query_embedding=np.ones(4, np.float32)), 3).positions.size == 0


def test_one_search_finds_what_a_search_for_many_finds() -> None:
    rng = np.random.default_rng(4)
    vectors = rng.normal(size=(300, 8)).astype(np.float32)
    index = ItemIndex(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 0.1, 0.3)
    index.set_units(slice(None), rng.integers(0, 50, 300).astype(np.float32))
    query = vectors[5] / np.linalg.norm(vectors[5])
    positions, scores = index.search(query, 20)
    many, many_scores = index.search_many(query[None], 20)
    assert positions.tolist() == many[0].tolist()
    np.testing.assert_allclose(scores, many_scores[0], rtol=1e-5)
    assert index.search(query, 1_000)[0].size == 300
