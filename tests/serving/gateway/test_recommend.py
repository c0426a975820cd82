"""What a Recommend call answers when all is well."""

from __future__ import annotations

import pytest

from feature_repo.schema import CUSTOMER_PROFILE
from serving.proto import recommender_pb2 as pb
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import LADIES, MEN, article


def ids(response: pb.RecommendResponse) -> list[str]:
    return [shown.article_id for shown in response.articles]


def degraded(response: pb.RecommendResponse) -> set[str]:
    """Kafka is away in these tests; that is another test's matter."""
    return {stage.stage for stage in response.degraded} - {"impressions"}


def test_a_known_customer_gets_what_the_ranker_puts_first(rig):
    answer = rig.recommend()
    assert degraded(answer) == set()
    assert answer.release == 1
    assert not answer.unknown_customer
    assert len(answer.articles) == 12
    scores = [shown.score for shown in answer.articles]
    assert ids(answer)[0] == article(1)  # the world's ranker likes best sellers
    assert scores == sorted(scores, reverse=True)


def test_articles_carry_what_a_storefront_shows(rig):
    first = rig.recommend().articles[0]
    assert (first.name, first.price_micros) == ("Product 1", 20_000)
    assert first.reason


def test_reasons_are_those_of_the_winning_source(rig):
    reasons = {shown.article_id: (shown.source, shown.reason) for shown in rig.recommend(count=40).articles}
    assert reasons[article(7)] == ("bought_again", "You bought this 2 days ago")
    assert reasons[article(8)] == ("same_product", "Another colour of Product 7, bought 2 days ago")
    assert reasons[article(12)] == ("bought_together", "Goes with Product 7, bought 2 days ago")
    assert reasons[article(1)] == ("department_trend", "Trending in value 1, where you shop")


def test_a_purchase_of_today_changes_the_answer(rig):
    world.store_purchase_of_today(rig.redis, "known", 20)
    reasons = {shown.article_id: shown.reason for shown in rig.recommend(count=40).articles}
    assert reasons[article(20)] == "You bought this today"
    assert reasons[article(25)] == "Goes with Product 20, bought today"


def test_the_feature_time_is_that_of_the_newest_feature(rig):
    assert rig.recommend().feature_time.ToDatetime(world.UTC) == world.BATCH_DAY
    world.store_purchase_of_today(rig.redis, "known", 20)
    assert rig.recommend().feature_time.ToDatetime(world.UTC) == world.NOW


def test_unknown_customers_get_what_is_trending(rig):
    answer = rig.recommend("nobody")
    assert answer.unknown_customer
    assert degraded(answer) == set()
    assert ids(answer) == [article(number) for number in range(1, 13)]
    assert {shown.source for shown in answer.articles} == {"trending"}
    assert answer.articles[0].reason == f"Trending in {LADIES}"


def test_customers_who_have_bought_nothing_yet_get_what_is_trending(rig):
    world.store(rig.redis, CUSTOMER_PROFILE, "newcomer", {"age": 33}, world.BATCH_DAY)
    answer = rig.recommend("newcomer")
    assert not answer.unknown_customer
    assert ids(answer) == ids(rig.recommend("nobody"))


def test_a_request_without_an_id_gets_one_and_a_given_one_comes_back(rig):
    assert rig.recommend().request_id
    assert rig.recommend(request_id="mine").request_id == "mine"


@pytest.mark.parametrize("count", [1, 5, 40, 100])
def test_as_many_articles_as_asked_for_or_as_there_are(rig, count):
    for customer in ("known", "nobody"):
        articles = ids(rig.recommend(customer, count=count))
        assert len(articles) == min(count, world.ARTICLES)
        assert len(set(articles)) == len(articles)


def test_pages_continue_each_other(rig):
    whole = ids(rig.recommend(count=24))
    pages = ids(rig.recommend(count=12)) + ids(rig.recommend(count=12, page=1))
    assert pages == whole


def test_the_same_question_gets_the_same_answer(rig):
    assert {tuple(ids(rig.recommend(count=40))) for _ in range(5)} == {tuple(ids(rig.recommend(count=40)))}


def test_excluded_articles_are_not_shown(rig):
    shown = ids(rig.recommend(count=40, filters=pb.Filters(exclude_articles=[article(1), article(7), "unknown"])))
    assert not {article(1), article(7)} & set(shown)
    assert len(shown) == world.ARTICLES - 2


def test_only_listed_articles_are_shown_in_the_rankers_order(rig):
    listed = [article(39), article(3), article(17), "unknown"]
    answer = rig.recommend(filters=pb.Filters(include_articles=listed))
    assert ids(answer) == [article(3), article(17), article(39)]


def test_index_groups_filter_and_the_number_is_still_met(rig):
    for customer in ("known", "nobody"):
        shown = ids(rig.recommend(customer, count=10, filters=pb.Filters(index_groups=[MEN])))
        assert sorted(shown) == [article(number) for number in range(31, 41)]


def test_price_bounds_include_their_ends(rig):
    world.store(
        rig.redis, world.ARTICLE_ACTIVITY_30D, article(30), {"units": 1, "mean_price_micros": 50_000.0}, world.BATCH_DAY
    )
    world.announce(rig.redis, 30)
    dear = pb.Filters(min_price_micros=50_000, max_price_micros=50_000)
    world.wait_until(lambda: ids(rig.recommend(filters=dear)) == [article(30)])
    cheap = pb.Filters(max_price_micros=20_000)
    assert len(ids(rig.recommend(count=40, filters=cheap))) == world.ARTICLES - 1


@pytest.mark.parametrize("price_micros", [16_777_217, 99_990_001, 9_999_987_654, 10_000_000_001])
def test_a_price_is_told_and_filtered_to_the_millionth(rig, price_micros):
    def sell_at(price: float) -> None:
        row = {"units": 1, "mean_price_micros": price}
        world.store(rig.redis, world.ARTICLE_ACTIVITY_30D, article(30), row, world.BATCH_DAY)
        world.announce(rig.redis, 30)

    def offered_at(price: int) -> list[int]:
        only = pb.Filters(min_price_micros=price, max_price_micros=price)
        similar = pb.SimilarArticlesRequest(article_id=article(7), count=3, filters=only)
        answers = [rig.recommend(filters=only), rig.stub.SimilarArticles(similar)]
        return [shown.price_micros for answer in answers for shown in answer.articles]

    sell_at(price_micros + 0.3)
    world.wait_until(lambda: offered_at(price_micros) == [price_micros] * 2)
    assert offered_at(price_micros - 1) == offered_at(price_micros + 1) == []
    sell_at(price_micros + 1.0)  # the next one, where single precision sees no difference
    world.wait_until(lambda: offered_at(price_micros + 1) == [price_micros + 1] * 2)


def test_what_is_out_of_stock_is_shown_only_on_demand(rig):
    world.store_stock(rig.redis, article(1), in_stock=False)
    world.announce(rig.redis, 1)
    world.wait_until(lambda: article(1) not in ids(rig.recommend(count=40)))
    assert article(1) in ids(rig.recommend(count=40, filters=pb.Filters(in_stock_only=False)))


def test_the_viewed_article_brings_its_like_and_is_not_shown_itself(rig):
    answer = rig.recommend("nobody", count=5, context_article_id=article(33))
    assert article(33) not in ids(answer)
    assert (answer.articles[0].article_id, answer.articles[0].reason) == (article(38), "Often bought with Product 33")
    assert answer.articles[1].reason == "Like Product 33, which you are looking at"


def test_filters_that_leave_nothing_give_an_empty_answer(rig):
    assert ids(rig.recommend(filters=pb.Filters(min_price_micros=10**12))) == []


def test_similar_articles_are_the_nearest_vectors(rig):
    vectors = world.item_vectors()
    cosines = vectors @ vectors[6]
    expected = [article(position + 1) for position in cosines.argsort()[::-1] if position != 6][:5]
    answer = rig.stub.SimilarArticles(pb.SimilarArticlesRequest(article_id=article(7), count=5))
    assert ids(answer) == expected
    assert answer.release == 1
    only_men = pb.SimilarArticlesRequest(article_id=article(7), count=10, filters=pb.Filters(index_groups=[MEN]))
    assert sorted(ids(rig.stub.SimilarArticles(only_men))) == [article(number) for number in range(31, 41)]
