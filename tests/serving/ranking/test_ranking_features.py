"""The ranker's features, read off a shop small enough to compute them by hand."""

import numpy as np
import pytest

from serving.ranking.features.similarity import TASTE_SMOOTHING
from serving.ranking.query_features import QUERY_NUMERIC, query_inputs
from serving.ranking.ranking_features import ranking_feature_names, ranking_features
from serving.ranking.ranking_inputs import NEVER_DAYS
from serving.retrieval.candidates import ABSENT, collect
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.source import Quota, RetrievalQuery
from serving.retrieval.sources.trending import TrendingSource
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = shop([4, 3, 2, 1], product=[0, 0, 1, 2])
INDEX = ItemIndex(np.eye(4, dtype=np.float32), 0.1, 1.0)
QUOTAS = [Quota(BoughtAgainSource(), 5), Quota(SameProductSource(ARTICLES), 5), Quota(TrendingSource(), 4)]


def features(values: dict, query: np.ndarray | None = None) -> tuple[list[int], dict[str, list[float]]]:
    customer = Customer.from_values("c", values, ARTICLES, TODAY)
    candidates = collect(RetrievalQuery(customer, ARTICLES, query), QUOTAS)
    matrix = ranking_features(customer, candidates, ARTICLES, INDEX, query)
    names = ranking_feature_names(candidates.sources)
    assert matrix.shape == (len(candidates), len(names))
    assert matrix.dtype == np.float32
    assert len(set(names)) == len(names)
    return candidates.positions.tolist(), {name: matrix[:, i].tolist() for i, name in enumerate(names)}


def test_the_union_holds_each_article_once_with_the_rank_of_every_source():
    customer = Customer.from_values("c", bought(("0000000001", 2)), ARTICLES, TODAY)
    candidates = collect(RetrievalQuery(customer, ARTICLES), QUOTAS)
    assert candidates.positions.tolist() == [0, 1, 2, 3]
    assert candidates.ranks.tolist() == [[0, ABSENT, 0], [ABSENT, 0, 1], [ABSENT, ABSENT, 2], [ABSENT, ABSENT, 3]]


def test_a_filter_does_not_shrink_the_quota():
    customer = Customer.from_values("c", {}, ARTICLES, TODAY)
    candidates = collect(
        RetrievalQuery(customer, ARTICLES), [Quota(TrendingSource(), 2)], allowed=lambda positions: positions >= 2
    )
    assert candidates.positions.tolist() == [2, 3]
    assert candidates.ranks[:, 0].tolist() == [0, 1]


def test_repurchase_features_tell_the_article_and_the_product_apart():
    positions, column = features(bought(("0000000001", 2), times=3))
    assert positions == [0, 1, 2, 3]
    assert column["times_bought"] == [3, 0, 0, 0]
    assert column["days_since_bought"] == [2, NEVER_DAYS, NEVER_DAYS, NEVER_DAYS]
    assert column["product_times_bought"] == [3, 3, 0, 0]
    assert column["share_department_name"] == [1, 0, 0, 0]
    assert column["sources"] == [2, 2, 1, 1]


def test_taste_is_where_purchases_lie_from_the_middle_of_the_catalogue_and_shorter_the_fewer_they_are():
    _, once = features(bought(("0000000001", 2)))
    _, often = features(bought(("0000000001", 90), times=3))
    for column, purchases in ((once, 1), (often, 3)):
        certainty = purchases / (purchases + TASTE_SMOOTHING)
        np.testing.assert_allclose(column["tower_taste"], np.array([0.75, -0.25, -0.25, -0.25]) * certainty, rtol=1e-6)
    _, stranger = features({})
    assert np.isnan(stranger["tower_taste"]).all()


def test_a_purchase_of_today_looks_like_yesterdays_the_youngest_that_training_knows():
    _, today = features(bought(("0000000001", 0)))
    _, yesterday = features(bought(("0000000001", 1)))
    assert today["days_since_last_purchase"] == yesterday["days_since_last_purchase"]
    customer = Customer.from_values("c", bought(("0000000001", 0)), ARTICLES, TODAY)
    vocabularies = {"club_member_status": {"": 0}, "fashion_news_frequency": {"": 0}}
    numeric = query_inputs([customer], vocabularies).numeric[0]
    assert numeric[QUERY_NUMERIC.index("days_since_last_purchase")] == 1


def test_tower_features_are_missing_without_a_query_embedding_and_the_cosine_with_one():
    _, without = features(bought(("0000000001", 2)))
    assert np.isnan(without["tower_cosine"]).all()
    _, with_query = features(bought(("0000000001", 2)), np.eye(4, dtype=np.float32)[2])
    assert with_query["tower_cosine"] == [0, 0, 1, 0]


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_beside_a_gift_no_price_is_a_multiple():
    articles = shop([5, 4, 3, 2])
    articles.activity_column("mean_price_micros")[:] = [0, 20_000, 30_000, np.nan]
    articles.sales_column("price_mean_micros")[:] = [0, 20_000, 15_000, 10_000]

    def column(name: str, last: str) -> list[float]:
        customer = Customer.from_values("c", bought((last, 1)), articles, TODAY)
        candidates = collect(RetrievalQuery(customer, articles), QUOTAS)
        matrix = ranking_features(customer, candidates, articles, INDEX, None)
        assert not np.isinf(matrix).any()
        return matrix[:, ranking_feature_names(candidates.sources).index(name)].tolist()

    assert column("price_over_last", "0000000002") == [0, 1, 1.5, 0.5]
    np.testing.assert_equal(column("price_over_last", "0000000001"), [np.nan] * 4)
    np.testing.assert_equal(column("price_now_over_usual_price", "0000000001"), [np.nan, 1, 2, 1])


def test_a_stranger_gets_numbers_too():
    positions, column = features({})
    assert positions == [0, 1, 2, 3]
    assert column["times_bought"] == [0, 0, 0, 0]
    assert np.isnan(column["profile_age"]).all()


def test_a_batch_of_query_inputs_equals_its_single_rows():
    vocabularies = {"club_member_status": {"": 0, "ACTIVE": 1}, "fashion_news_frequency": {"": 0}}
    customers = [
        Customer.from_values("a", bought(("0000000001", 2)), ARTICLES, TODAY),
        Customer.from_values("b", {"customer_profile:club_member_status": "ACTIVE"}, ARTICLES, TODAY),
    ]
    together = query_inputs(customers, vocabularies).tensors()
    for row, customer in enumerate(customers):
        alone = query_inputs([customer], vocabularies).tensors()
        for name, tensor in together.items():
            np.testing.assert_array_equal(tensor[row], alone[name][0])
    assert together["categories"].tolist() == [[0, 0], [1, 0]]
