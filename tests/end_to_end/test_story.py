"""The story of ``make demo``, asserted by numbers."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial

import grpc
import pytest
import redis

from feature_repo.online.entity_values import fields_of, parse
from feature_repo.online.keys import entity_key
from feature_repo.schema import CUSTOMER_ACTIVITY_30D, CUSTOMER_HISTORY
from infra.demo.measurements import content, purchase_to_answer
from infra.demo.shoppers import active_shoppers, history
from infra.demo.storefront import Traffic
from infra.local.process import wait_until
from serving.rollout.rollout import promote, rollback, stage


@pytest.fixture(scope="module")
def shoppers(shop):
    return active_shoppers(shop.settings.tables_dir, 40)


def online(shop, customer_id):
    """What Redis holds of a customer on the shop's clock."""
    views = [CUSTOMER_HISTORY, CUSTOMER_ACTIVITY_30D]
    today = datetime.combine(shop.prepared.as_of, time(), UTC)
    with redis.Redis.from_url(shop.settings.redis_url) as client:
        raw = client.hmget(entity_key("customer", customer_id), fields_of(views))
    return parse(customer_id, views, raw, today).values


def test_the_served_order_beats_popularity_on_every_metric(shop):
    warm = shop.trained.evaluation.table["warm"]
    for metric, value in warm["vitrine"].items():
        if metric != "recall_at_500":  # the shop has 400 articles
            assert value > warm["popularity"][metric], metric
    share = shop.trained.evaluation.achievable_share("warm")
    assert share is not None
    assert 0.3 < share <= 1


def test_the_oracle_is_out_of_reach_for_every_row(shop):
    warm = shop.trained.evaluation.table["warm"]
    assert max(row["ndcg_at_10"] for row in warm.values()) == warm["oracle"]["ndcg_at_10"]


def test_a_known_customer_is_answered_in_full(shop, shoppers):
    answer = shop.storefront.recommend(shoppers[0], count=12)
    assert len(answer.articles) == 12
    assert len({article.article_id for article in answer.articles}) == 12
    assert answer.release == 1
    assert not answer.degraded
    assert not answer.unknown_customer
    assert all(article.reason and article.name for article in answer.articles)


def test_customers_differ(shop, shoppers):
    answers = {tuple(a.article_id for a in shop.storefront.recommend(customer).articles) for customer in shoppers[:10]}
    assert len(answers) >= 9


def test_an_unknown_customer_is_shown_what_is_trending(shop):
    answer = shop.storefront.recommend("nobody-has-ever-seen-this-customer")
    assert answer.unknown_customer
    assert {article.source for article in answer.articles} == {"trending"}


def test_a_bad_request_says_what_to_change(shop):
    with pytest.raises(grpc.RpcError) as caught:
        shop.storefront.recommend("")
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "customer_id" in caught.value.details()


def test_a_purchase_changes_the_answer_within_a_second(shop, shoppers):
    for customer in shoppers[1:21]:
        shown = shop.storefront.recommend(customer).articles
        change = purchase_to_answer(shop.storefront, customer, partial(shop.till.ring_up, customer, shown[5]))
        assert content(change.after) != content(change.before)
        assert change.milliseconds < 1000


def test_a_purchase_is_counted_once_and_leads_the_customers_history(shop, shoppers):
    customer = shoppers[25]
    before = online(shop, customer)
    bought = shop.storefront.recommend(customer).articles[0]
    shop.till.ring_up(customer, bought)
    wait_until(
        lambda: (
            online(shop, customer)["customer_activity_30d:articles"][:1] == [bought.article_id]
            and online(shop, customer)["customer_activity_30d:purchases"]
            == before["customer_activity_30d:purchases"] + 1
        ),
        10,
        "the purchase to be counted once",
    )


def test_the_online_windows_are_those_of_the_purchase_files(shop, shoppers):
    for customer in shoppers[30:]:
        days = [line.day for line in history(shop.settings.tables_dir, customer, 1000)]
        recent = [day for day in days if day > shop.prepared.as_of - timedelta(days=30)]
        assert online(shop, customer)["customer_activity_30d:purchases"] == len(recent)


def test_a_rollout_and_its_rollback_fail_no_request(shop, shoppers):
    with Traffic(shop.settings.gateway_address, shoppers) as traffic:
        traffic.wait_for_release(1)
        stage(shop.settings, 2)
        promote(shop.settings, 2)
        traffic.wait_for_release(2)
        rollback(shop.settings, 1)
        traffic.wait_for_release(1)
    assert traffic.failures == []
    assert set(traffic.answers_by_release) == {1, 2}


def test_answers_go_on_while_parts_are_down_and_say_which(shop, shoppers):
    assert shop.stack.model_server is not None
    shop.stack.model_server.stop()
    try:
        answer = shop.storefront.recommend(shoppers[0])
        assert len(answer.articles) == 12
        assert "ranker" in {stage.stage for stage in answer.degraded}
    finally:
        shop.stack.model_server.start_again()
    wait_until(lambda: not shop.storefront.recommend(shoppers[0]).degraded, 30, "full answers again")
