"""Every candidate source in a shop where the right answer is plain to see."""

import numpy as np
import pytest

from serving.retrieval.articles import CATEGORIES, SALES_COLUMNS, ArticleTable
from serving.retrieval.candidates import collect
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.source_precision import STEPS
from serving.retrieval.sources.age_trend import AgeTrendSource
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.category_trend import DepartmentTrendSource, IndexGroupTrendSource
from serving.retrieval.sources.cold_articles import ColdArticlesSource
from serving.retrieval.sources.registry import SOURCES
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.searched_articles import COLD_UNITS
from serving.retrieval.sources.similar_picture import SimilarPictureSource
from serving.retrieval.sources.source import Quota, RetrievalQuery
from serving.retrieval.sources.tower import TowerSource
from serving.retrieval.sources.trending import TrendingSource
from tests.serving.retrieval_worlds import TODAY, bought, shop
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.past_shop import PastShop

NO_PURCHASES = PurchaseLog(*(np.empty(0, np.int32) for _ in range(3)))


def ask(
    articles: ArticleTable, *purchases: tuple[str, int], query: np.ndarray | None = None, index: ItemIndex | None = None
) -> RetrievalQuery:
    values = bought(*purchases) if purchases else {}
    return RetrievalQuery(Customer.from_values("c", values, articles, TODAY), articles, query, index)


def past(articles: ArticleTable, log: PurchaseLog) -> PastShop:
    return PastShop(articles, log, np.eye(len(articles), 8) + 0.1)


def checkerboard() -> tuple[ArticleTable, PurchaseLog]:
    """Customers of even number buy the articles of even position, odd ones the odd: no one ever crosses over."""
    articles = shop([1.0] * 10)
    rows = [(customer, article) for customer in range(20) for article in range(customer % 2, 10, 2)]
    customer, article = np.asarray(rows, np.int32).T
    return articles, PurchaseLog(customer, article, np.full(article.size, TODAY - 3, np.int32))


@pytest.mark.parametrize("source", [each.fit(past(*checkerboard())) for each in SOURCES], ids=lambda each: each.name)
@pytest.mark.parametrize("purchases", [(), (("0000000001", 2), ("0000000004", 9))], ids=["cold", "warm"])
@pytest.mark.parametrize("limit", [1, 3, 50])
def test_every_source_proposes_distinct_articles_best_first_within_its_limit(source, purchases, limit):
    articles, _ = checkerboard()
    vectors = np.eye(len(articles), 8, dtype=np.float32)
    query = ask(articles, *purchases, query=vectors[2], index=ItemIndex(vectors, 0.1, 1.0))
    proposal = source.propose(query, limit)
    assert proposal.positions.size <= limit
    assert proposal.positions.dtype == np.int32
    assert len(set(proposal.positions.tolist())) == proposal.positions.size
    assert (np.diff(proposal.scores) <= 0).all()
    again = source.propose(query, limit)
    assert again.positions.tolist() == proposal.positions.tolist()


def test_bought_together_never_crosses_the_checkerboard():
    articles, log = checkerboard()
    source = BoughtTogetherSource.fit(past(articles, log))
    proposal = source.propose(ask(articles, ("0000000001", 1)), 20)  # position 0: an even one
    assert sorted(proposal.positions.tolist()) == [2, 4, 6, 8]


def test_bought_together_comes_back_from_its_files(tmp_path):
    articles, log = checkerboard()
    source = BoughtTogetherSource.fit(past(articles, log))
    source.save(tmp_path)
    query = ask(articles, ("0000000001", 1))
    restored = BoughtTogetherSource.load(tmp_path, articles).propose(query, 20)
    assert restored.positions.tolist() == source.propose(query, 20).positions.tolist()


def test_similar_picture_offers_the_lookalikes_that_are_on_sale(tmp_path):
    articles = shop([1.0] * 5)
    articles.sales[:, SALES_COLUMNS.index("units")] = [90, 90, 90, 90, 0]
    articles.activity[2] = np.nan  # sold out: nobody has bought it for 30 days
    stripes, nearly_stripes, dots = [1.0, 0.0], [0.95, 0.31], [-1.0, 0.2]
    images = np.array([stripes, nearly_stripes, stripes, dots, stripes])  # the last was never sold, and may be new
    source = SimilarPictureSource.fit(PastShop(articles, NO_PURCHASES, images))
    query = ask(articles, ("0000000001", 1))
    assert source.propose(query, 2).positions.tolist() == [4, 1]
    assert source.propose(ask(articles, ("0000000003", 1)), 1).positions.tolist() != [2]
    assert source.reason(query, 4) == "Looks like Product 1, bought yesterday"
    source.save(tmp_path)
    restored = SimilarPictureSource.load(tmp_path, articles).propose(query, 9)
    assert restored.positions.tolist() == source.propose(query, 9).positions.tolist()


def test_similar_picture_finds_as_much_for_articles_that_share_one_picture():
    articles = shop([1.0] * 60)
    source = SimilarPictureSource.fit(PastShop(articles, NO_PURCHASES, np.ones((60, 4))))
    for place in range(60):
        proposal = source.neighbours_of(place, 60)
        assert proposal.positions.size == 40
        assert place not in proposal.positions


def test_bought_again_puts_the_latest_day_first_and_on_one_day_the_oftener_bought():
    articles = shop([1] * 3)
    values = bought(("0000000002", 1), ("0000000001", 1), ("0000000003", 4))
    values["customer_history:article_times"] = [1, 5, 9]
    customer = Customer.from_values("c", values, articles, TODAY)
    proposal = BoughtAgainSource().propose(RetrievalQuery(customer, articles), 10)
    assert proposal.positions.tolist() == [0, 1, 2]


def test_same_product_offers_the_other_colours_but_not_the_one_bought():
    articles = shop([1, 5, 2, 9], product=[0, 0, 0, 1])
    proposal = SameProductSource(articles).propose(ask(articles, ("0000000001", 1)), 10)
    assert proposal.positions.tolist() == [1, 2]


def test_trending_follows_the_live_activity():
    articles = shop([1, 7, 3])
    source = TrendingSource()
    assert source.propose(ask(articles), 2).positions.tolist() == [1, 2]
    row = articles.activity[[0]].copy()
    row[:] = 50
    articles.update_activity(np.asarray([0], np.int32), row)
    assert source.propose(ask(articles), 2).positions.tolist() == [0, 1]


def test_trending_is_what_most_visits_are_for(tmp_path):
    articles = shop([40, 30, 20])
    alone = [(customer, 1) for customer in range(30)]
    together = [(customer, article) for customer in range(100, 110) for article in [0] * 4 + [2] * 2]
    customer, article = np.asarray(alone + together, np.int32).T
    log = PurchaseLog(customer, article, np.full(article.size, TODAY - 1, np.int32))
    source = TrendingSource.fit(past(articles, log))
    assert TrendingSource().propose(ask(articles), 3).positions.tolist() == [0, 1, 2]
    assert source.propose(ask(articles), 3).positions.tolist() == [1, 0, 2]
    source.save(tmp_path / "votes")
    TrendingSource().save(tmp_path / "units")
    for name, positions in (("votes", [1, 0, 2]), ("units", [0, 1, 2])):
        assert TrendingSource.load(tmp_path / name, articles).propose(ask(articles), 3).positions.tolist() == positions


def test_department_trend_stays_in_the_customers_departments():
    articles = shop([1, 7, 3, 9], department=[1, 1, 2, 2])
    proposal = DepartmentTrendSource().propose(ask(articles, ("0000000001", 1)), 10)
    assert proposal.positions.tolist() == [1, 0]


def test_index_group_trend_stays_in_the_customers_index_groups():
    articles = shop([1, 7, 3, 9])
    articles.categories[:, CATEGORIES.index("index_group_name")] = [1, 1, 2, 2]
    proposal = IndexGroupTrendSource().propose(ask(articles, ("0000000001", 1)), 10)
    assert proposal.positions.tolist() == [1, 0]


def test_age_trend_prefers_what_people_of_the_customers_age_buy():
    articles = shop([10, 9, 8])
    articles.sales[:, SALES_COLUMNS.index("units")] = 1_000
    articles.sales[:, SALES_COLUMNS.index("mean_buyer_age")] = [25, 38, 51]

    def of_age(age: int | None) -> list[int]:
        values = {} if age is None else {"customer_profile:age": age}
        query = RetrievalQuery(Customer.from_values("c", values, articles, TODAY), articles)
        return AgeTrendSource().propose(query, 3).positions.tolist()

    assert of_age(20) == [0, 1, 2]
    assert of_age(60) == [2, 1, 0]
    assert of_age(None) == []
    articles.sales[:, SALES_COLUMNS.index("units")] = 0
    assert of_age(60) == [0, 1, 2], "what hardly anybody has bought tells nothing of age"


def test_a_union_that_is_too_large_keeps_what_stands_highest_in_its_source():
    articles = shop([9, 8, 7, 6, 5, 4], department=[1, 1, 1, 2, 2, 2])
    query = ask(articles, ("0000000004", 1))
    quotas = [Quota(TrendingSource(), 4), Quota(DepartmentTrendSource(), 2)]
    whole, cut = collect(query, quotas), collect(query, quotas, most=3)
    assert whole.positions.tolist() == [0, 1, 2, 3, 4]
    assert cut.positions.tolist() == [0, 1, 3], "first, second of four; first of two"
    assert cut.ranks.tolist() == whole.ranks[[0, 1, 3]].tolist()


def test_a_union_that_is_too_large_keeps_what_its_sources_were_oftenest_right_about():
    articles = shop([9, 8, 7, 6, 5, 4], department=[1, 1, 1, 2, 2, 2])
    query = ask(articles, ("0000000004", 1))
    seldom, often = np.full(len(STEPS), 0.1, np.float32), np.full(len(STEPS), 0.2, np.float32)
    quotas = [Quota(TrendingSource(), 4, seldom), Quota(DepartmentTrendSource(), 3, often)]
    assert collect(query, quotas, most=3).positions.tolist() == [3, 4, 5], "4 is of both, and 5 and 6 of the better"


def test_cold_articles_keep_their_first_places_in_a_union_that_is_cut():
    articles = shop(list(range(100, 0, -1)))
    articles.sales[:, 0] = np.where(np.arange(100) < 30, COLD_UNITS + 1, 0)
    index = ItemIndex(np.ones((100, 1), np.float32), 0.1, 1.0)
    never, often = np.zeros(len(STEPS), np.float32), np.full(len(STEPS), 0.2, np.float32)
    quotas = [Quota(TrendingSource(), 30, often), Quota(ColdArticlesSource(), 60, never)]
    kept = collect(ask(articles, query=np.ones(1, np.float32), index=index), quotas, most=50)
    assert kept.positions.tolist() == [*range(10), *range(30, 70)]
    assert ColdArticlesSource.reserved == 40


def test_the_tower_is_silent_without_a_query_embedding():
    index = ItemIndex(np.eye(4, dtype=np.float32), 0.1, 0.0)
    assert TowerSource().propose(ask(shop([1] * 4), index=index), 3).positions.size == 0


def test_cold_articles_are_those_that_hardly_sold_nearest_to_the_customer_first():
    articles = shop([1] * 4)
    articles.sales[:, 0] = [COLD_UNITS + 1, COLD_UNITS, 0, np.nan]
    vectors = np.array([[1, 0], [0.6, 0.8], [0.8, 0.6], [0, 1]], np.float32)
    source, index = ColdArticlesSource(), ItemIndex(vectors, 0.1, 1.0)
    query = ask(articles, query=np.array([1, 0], np.float32), index=index)
    proposal = source.propose(query, 10)
    assert proposal.positions.tolist() == [2, 1, 3]
    assert proposal.scores[0] == pytest.approx(0.8 / 0.1 + 0.5 * np.log(0.3))
    assert source.propose(ask(articles, index=index), 10).positions.size == 0
    articles.sales[:, 0] = COLD_UNITS + 1
    articles.activity_version += 1
    assert source.propose(query, 10).positions.size == 0
