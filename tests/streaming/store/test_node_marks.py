"""Every master of a Redis Cluster holds marks that are lost with its data, wherever slots go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from redis.cluster import RedisCluster
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import ConnectionError

from feature_repo.contracts import BOOTSTRAPPED_KEY
from feature_repo.online.cluster_pipe import ClusterPipe, open_pipe
from feature_repo.online.cluster_slots import ClusterSlots
from feature_repo.online.keys import entity_key
from feature_repo.online.redis_pipe import Pipe
from infra.base.errors import UserError
from streaming.store.checkpoints import checkpoint_keys
from streaming.store.node_marks import check_every_master_is_marked, mark_keys
from streaming.time.event_clock import EventClock
from streaming.worker.purchase_stream import PurchaseStream
from tests.local_cluster import NODES, LocalCluster
from tests.streaming.worker.test_purchase_stream import batch
from tests.streaming.worlds import purchase, stored_features


@pytest.fixture
def pipe(redis_cluster: LocalCluster) -> Iterator[Pipe]:
    with closing(open_pipe(redis_cluster.url)) as pipe:
        yield pipe


def test_a_master_that_has_lost_its_part_of_a_bootstrap_is_not_mended_from_the_topic(
    redis_cluster: LocalCluster, cluster_client: RedisCluster, pipe: Pipe
) -> None:
    for key in mark_keys(BOOTSTRAPPED_KEY, True):
        cluster_client.set(key, "name")
    PurchaseStream(pipe, EventClock())
    with redis_cluster.nodes[2].client() as client:
        client.flushall()
    with pytest.raises(
        UserError, match="lost what `vitrine stream --bootstrap` had loaded; stop all workers and run it"
    ):
        PurchaseStream(pipe, EventClock())


def test_any_thousand_slots_hold_a_mark() -> None:
    slots = [key_slot(key) for key in checkpoint_keys("transactions", True)]
    assert slots == list(range(512, REDIS_CLUSTER_HASH_SLOTS, 1024))


def test_a_master_without_a_mark_is_named(pipe: ClusterPipe) -> None:
    check_every_master_is_marked(pipe)
    owners = pipe.slots.owners[:]
    owners[513:1536] = type(owners)("h", [NODES]) * 1_023
    pipe.slots = ClusterSlots((*pipe.slots.masters, ("tiny", 7)), owners)
    with pytest.raises(UserError, match=r"tiny:7 .* would lose data unnoticed: give each master at least 1,024 slots"):
        check_every_master_is_marked(pipe)


def test_slots_may_move_to_another_master(
    redis_cluster: LocalCluster, cluster_client: RedisCluster, pipe: Pipe
) -> None:
    clock, (one, two) = EventClock(), (purchase("anna", "0108775015", offset=n) for n in range(2))
    stream = PurchaseStream(pipe, clock)
    stream.apply(batch(one)).commit()
    key = entity_key("customer", "anna")
    home = redis_cluster.node_of(key)
    other = next(node for node in redis_cluster.nodes if node is not home)
    try:
        redis_cluster.move_slot(key_slot(key), home, other)
        with pytest.raises(ConnectionError, match="MOVED"):
            stream.apply(batch(two)).commit()
        with closing(open_pipe(redis_cluster.url)) as anew:
            stream = PurchaseStream(anew, clock)
            assert stream.positions() == {0: 1}
            stream.apply(batch(two)).commit()
        assert stored_features(cluster_client, "customer", "anna")["purchases"] == 2
    finally:
        redis_cluster.move_slot(key_slot(key), other, home)
