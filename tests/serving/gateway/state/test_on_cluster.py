"""A gateway on a Redis Cluster: customers from every master, articles followed, and what is left when one is away."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from redis.cluster import RedisCluster
from redis.crc import key_slot

from feature_repo.contracts import ARTICLE_CHANGES_KEY, EVENT_CLOCK_KEY
from feature_repo.online.keys import entity_key
from infra.base.settings import Settings
from serving.proto import recommender_pb2 as pb
from serving.release.reader import Release
from tests.local_cluster import ClusterNode, LocalCluster
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import announce, article, store_sales, wait_until
from tests.serving.gateway.state.test_article_state import followed, units
from tests.serving.gateway.test_recommend import degraded, ids
from tests.streaming.worker.test_lost_moments import Moment


@pytest.fixture
def release(releases_dir) -> Release:
    return Release.open(releases_dir / "1")


@pytest.fixture
def recommend(settings: Settings, models, redis_cluster: LocalCluster, cluster_client: RedisCluster) -> Iterator:
    """Asks a gateway that is ready, in a shop that the customer ``known`` has bought in."""
    world.store_shop(cluster_client)
    on_cluster = replace(settings, redis_url=redis_cluster.url)
    with world.gateway_thread(on_cluster, world.fast_config()) as address, world.stub_of(address) as stub:
        yield lambda customer_id: stub.Recommend(pb.RecommendRequest(customer_id=customer_id), timeout=5)


def customers_by_master(cluster: LocalCluster, client: RedisCluster) -> dict[ClusterNode, str]:
    """One customer on each master; all have bought article 7."""
    found: dict[ClusterNode, str] = {}
    number = 0
    while len(found) < len(cluster.nodes):
        customer_id = f"customer-{number}"
        node = cluster.node_of(entity_key("customer", customer_id))
        if node not in found:
            found[node] = customer_id
            world.store_history(client, customer_id, (7, 2))
        number += 1
    return found


def test_customers_are_read_from_every_master(recommend, redis_cluster: LocalCluster, cluster_client: RedisCluster):
    for customer_id in customers_by_master(redis_cluster, cluster_client).values():
        answer = recommend(customer_id)
        assert degraded(answer) == set()
        assert not answer.unknown_customer


def test_while_a_master_is_away_the_customers_of_the_others_are_known(
    recommend, redis_cluster: LocalCluster, cluster_client: RedisCluster
):
    customers = customers_by_master(redis_cluster, cluster_client)
    away, *others = customers
    assert degraded(recommend(customers[away])) == set()
    away.kill()
    answer = recommend(customers[away])
    assert "customer" in degraded(answer)
    assert ids(answer) == [article(number) for number in range(1, 13)]
    for node in others:
        answer = recommend(customers[node])
        assert not answer.unknown_customer
        assert "customer" not in degraded(answer)
    redis_cluster.start_again()
    wait_until(lambda: degraded(recommend(customers[away])) == set())
    assert not recommend(customers[away]).unknown_customer


def test_a_customer_whose_slot_moves_stays_known(recommend, redis_cluster: LocalCluster, cluster_client: RedisCluster):
    key = entity_key("customer", "known")
    home = redis_cluster.node_of(key)
    other = next(node for node in redis_cluster.nodes if node is not home)
    assert not recommend("known").unknown_customer
    try:
        redis_cluster.begin_to_move(key_slot(key), home, other)
        assert not recommend("known").unknown_customer  # between two masters
        redis_cluster.end_move(key_slot(key), home, other)
        for _ in range(3):
            answer = recommend("known")
            assert not answer.unknown_customer
            assert degraded(answer) == set()
    finally:
        redis_cluster.move_slot(key_slot(key), other, home)


def test_announced_changes_reach_the_matrix_from_every_master(
    release: Release, redis_cluster: LocalCluster, cluster_client: RedisCluster
):
    cluster_client.set(EVENT_CLOCK_KEY, "2020-09-21T08:00:00.000017Z")
    with followed(release, redis_cluster.url) as state:
        for number in range(1, world.ARTICLES + 1):
            store_sales(cluster_client, article(number), number)
        announce(cluster_client, *range(1, world.ARTICLES + 1))
        wait_until(lambda: units(release) == list(range(1, world.ARTICLES + 1)))
        assert (state.problem, state.reloads) == (None, 1)


def test_a_stream_that_has_lost_its_end_and_goes_on_is_noticed(
    release: Release, redis_cluster: LocalCluster, cluster_client: RedisCluster
):
    with followed(release, redis_cluster.url) as state:
        before = Moment(redis_cluster.node_of(ARTICLE_CHANGES_KEY))
        announce(cluster_client, 1)
        store_sales(cluster_client, article(2), 20)
        announce(cluster_client, 2)
        wait_until(lambda: units(release)[1] == 20)
        before.come_back()
        wait_until(lambda: state.reloads == 2)
        store_sales(cluster_client, article(3), 30)
        announce(cluster_client, 3)
        wait_until(lambda: units(release)[2] == 30)


@pytest.mark.parametrize("of_stream", [True, False], ids=["of the stream", "of an article"])
def test_changes_are_followed_through_the_end_of_a_master_and_a_moved_slot(
    release: Release, redis_cluster: LocalCluster, cluster_client: RedisCluster, of_stream: bool
):
    key = ARTICLE_CHANGES_KEY if of_stream else entity_key("article", article(5))
    home = redis_cluster.node_of(key)
    other = next(node for node in redis_cluster.nodes if node is not home)

    def is_told(units_sold: int) -> None:
        store_sales(cluster_client, article(5), units_sold)
        announce(cluster_client, 5)
        wait_until(lambda: units(release)[4] == units_sold)
        wait_until(lambda: state.problem is None)

    with followed(release, redis_cluster.url) as state:
        home.kill()
        wait_until(lambda: "not followed" in (state.problem or ""))
        redis_cluster.start_again()
        is_told(50)
        try:
            redis_cluster.move_slot(key_slot(key), home, other)
            is_told(51)
        finally:
            redis_cluster.move_slot(key_slot(key), other, home)
