"""The masters of a Redis Cluster lose their last moments, each for itself: the windows end up right all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis.cluster import RedisCluster
from redis.exceptions import ConnectionError

from feature_repo.events.purchase import Purchase
from feature_repo.online.cluster_pipe import ClusterPending, ClusterPipe, open_pipe
from feature_repo.online.keys import entity_key
from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import Keyed
from infra.base.redis_url import RedisUrl
from streaming.store.node_marks import key_of_shard
from streaming.time.cluster_expiry_index import KEPT_SECONDS, ClusterExpiryIndex
from streaming.time.event_clock import EventClock, WatermarkPolicy
from streaming.time.expiry_index import SHARDS, shard_of
from streaming.worker.purchase_stream import PartitionBatch, PurchaseStream
from tests.local_cluster import NODES, ClusterNode, LocalCluster
from tests.streaming.worker.test_purchase_stream import ARTICLES, PARTITION_OF, SOLD, Sold, batch, fall
from tests.streaming.worlds import DAY, article_features, customer_features, purchase, stored_features

# All keys in one moment: an undeclared key of another slot needs the flag.
_DUMP = """#!lua flags=allow-cross-slot-keys
local moment = {}
for _, key in ipairs(redis.call('KEYS', '*')) do
  moment[#moment + 1] = key
  moment[#moment + 1] = redis.call('DUMP', key)
end
return moment
"""


class Moment:
    """What a node holds now, to fall back to later, as one does that was killed before its disk had the rest."""

    def __init__(self, node: ClusterNode) -> None:
        self._node = node
        with node.client() as client:
            flat: Any = client.eval(_DUMP, 0)
        self._content = dict(zip(flat[::2], flat[1::2], strict=True))

    def come_back(self) -> None:
        with self._node.client() as client:
            client.flushall()
            for key, value in self._content.items():
                client.restore(key, 0, value)


class WatchedPipe(ClusterPipe):
    """Tells before it sends."""

    def __init__(self, url: str, tell: Callable[[], None]) -> None:
        super().__init__(RedisUrl.parse(url))
        self._tell = tell

    def send(self, batch: Sequence[Keyed]) -> ClusterPending:
        self._tell()
        return super().send(batch)


@dataclass
class Night:
    """Days pass, windows fall, and a master falls back to a moment in between."""

    days: int
    node: int
    after_sends: int
    with_worker: bool


class World:
    """A shop on a cluster with one worker, whose masters can fall back."""

    def __init__(self, cluster: LocalCluster) -> None:
        self.cluster = cluster
        self.sent: dict[int, list[Purchase]] = {0: [purchase("anna", ARTICLES[0])], 1: []}
        self.newest_day = DAY
        self._awaited: dict[int, int] = {}  # node to the sends until its moment
        self._moments: dict[int, Moment] = {}
        self.begin(EventClock())
        self.apply_all()

    def begin(self, clock: EventClock) -> None:
        """A worker reads on from what the store says."""
        self.worker = PurchaseStream(WatchedPipe(self.cluster.url, self._notice), clock)
        positions = self.worker.positions()
        self.read = {partition: positions.get(partition, 0) for partition in self.sent}

    def apply_all(self) -> None:
        self.worker.apply(
            {
                partition: PartitionBatch(purchases[self.read[partition] :], len(purchases), True)
                for partition, purchases in self.sent.items()
            }
        ).commit()
        self.read = {partition: len(purchases) for partition, purchases in self.sent.items()}

    def sell(self, sales: list[Sold]) -> None:
        for sold in sales:
            day = self.newest_day + sold.days_later
            self.newest_day = max(self.newest_day, day)
            partition = PARTITION_OF[sold.customer]
            of_partition = self.sent[partition]
            new = purchase(
                sold.customer, sold.article, day, at_us=sold.at_us, price_micros=sold.price_micros,
                channel=sold.channel, partition=partition, offset=len(of_partition),
            )  # fmt: skip
            of_partition.append(new)
            if sold.resend:
                of_partition.append(new._replace(offset=len(of_partition)))
        self.apply_all()

    def remember(self, node: int, after_sends: int) -> None:
        self._awaited[node] = after_sends

    def fall_back(self, clock: EventClock) -> None:
        """Every node to the moment last remembered of it, if any."""
        for moment in self._moments.values():
            moment.come_back()
        self._moments.clear()
        self.begin(clock)

    def spend(self, night: Night) -> None:
        self.sell([Sold("dora", ARTICLES[2], night.days, 0, 1, 1, False)])
        self.remember(night.node, night.after_sends)
        fall(self.worker)
        self.fall_back(EventClock() if night.with_worker else self.worker.clock)

    def _notice(self) -> None:
        for node, sends in list(self._awaited.items()):
            self._awaited[node] = sends - 1
            if not sends:
                del self._awaited[node]
                self._moments[node] = Moment(self.cluster.nodes[node])

    def check(self, client: RedisCluster) -> None:
        self.apply_all()
        fall(self.worker)
        everything = self.sent[0] + self.sent[1]
        clock_day = self.worker.clock.day
        assert clock_day == max(p.day for p in everything)
        for customer_id in {p.customer_id for p in everything}:
            expected = customer_features(everything, customer_id, clock_day)
            stored = stored_features(client, "customer", customer_id)
            assert stored == expected or (not stored and not expected["purchases"])
        for article_id in {p.article_id for p in everything}:
            expected = article_features(everything, article_id, clock_day)
            stored = stored_features(client, "article", article_id)
            assert stored == expected or (not stored and not expected["units"])


STEP = st.one_of(
    st.lists(SOLD, min_size=1, max_size=8),
    st.builds(Night, st.integers(1, 7), st.integers(0, NODES - 1), st.integers(0, 40), st.booleans()),
    st.tuples(st.integers(0, NODES - 1), st.integers(0, 40)),
    st.sampled_from(("workers and masters fall back", "masters fall back", "tick", "another worker")),
)


@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEP, max_size=14))
def test_windows_equal_brute_force_whatever_each_master_loses(
    redis_cluster: LocalCluster, cluster_client: RedisCluster, steps: list[Any]
) -> None:
    cluster_client.flushall()
    world = World(redis_cluster)
    for step in steps:
        if isinstance(step, list):
            world.sell(step)
        elif isinstance(step, tuple):
            world.remember(*step)
        elif isinstance(step, Night):
            world.spend(step)
        elif step == "tick":
            world.worker.tick(range(SHARDS), 2)
        elif step == "another worker":
            world.begin(EventClock())
        else:
            world.fall_back(EventClock() if step.startswith("workers") else world.worker.clock)
    world.check(cluster_client)


def elsewhere(cluster: LocalCluster, entity: str) -> tuple[str, ClusterNode]:
    """A customer or article whose window and expiry entries lie on different masters, and the window's master."""
    for number in range(1_000):
        entity_id = f"{number:010d}"
        home = cluster.node_of(entity_key(entity, entity_id))
        if home is not cluster.node_of(key_of_shard(b"", shard_of(entity_id), True)):
            return entity_id, home
    raise AssertionError("no such id")


@pytest.fixture
def pipe(redis_cluster: LocalCluster) -> Iterator[Pipe]:
    with closing(open_pipe(redis_cluster.url)) as pipe:
        yield pipe


@pytest.mark.parametrize("entity", ["customer", "article"])
def test_a_window_whose_fall_was_lost_falls_again(
    redis_cluster: LocalCluster, cluster_client: RedisCluster, pipe: Pipe, entity: str
) -> None:
    entity_id, home = elsewhere(redis_cluster, entity)
    customer_id, article_id = (entity_id, "0") if entity == "customer" else ("anna", entity_id)
    clock = EventClock(WatermarkPolicy(leap_days=30))
    stream = PurchaseStream(pipe, clock)
    stream.apply(batch(purchase(customer_id, article_id, DAY, offset=0))).commit()
    stream.apply(batch(purchase("ben", "1", DAY + 30, offset=1))).commit()
    before = Moment(home)
    fall(stream)
    count = "purchases" if entity == "customer" else "units"
    assert stored_features(cluster_client, entity, entity_id)[count] == 0
    before.come_back()
    assert stored_features(cluster_client, entity, entity_id)[count] == 1
    fall(PurchaseStream(pipe, clock))
    assert stored_features(cluster_client, entity, entity_id)[count] == 0
    changes: Any = cluster_client.xrange("vitrine:article-changes", count=1)
    ((_, fields),) = changes
    assert fields[b"articles"]


def test_what_fell_long_ago_is_forgotten_unless_another_keeps_it(
    redis_cluster: LocalCluster, cluster_client: RedisCluster, pipe: Pipe
) -> None:
    now = 0.0
    one, other = (ClusterExpiryIndex(pipe, "customer", (30,), now=lambda: now) for _ in range(2))
    shard = shard_of("anna")

    def put_up_again(index: ClusterExpiryIndex) -> list[str]:
        index.forget()
        index.look_after([shard], DAY)
        found = index.some(DAY, shard, 10)
        if found:
            index.done(DAY, shard, found)
        return found

    one.look_after([shard], DAY)
    one.done(DAY, shard, ["anna"])
    now += KEPT_SECONDS
    one.look_after([shard], DAY)
    assert put_up_again(other) == ["anna"]
    now += 5 * KEPT_SECONDS
    for _ in range(3):  # another has it now, and this one does not know
        one.look_after([shard], DAY)
        now += KEPT_SECONDS
    assert put_up_again(one) == ["anna"]
    for _ in range(2):
        now += KEPT_SECONDS
        one.look_after([shard], DAY)
    assert put_up_again(other) == []
    keys: Any = cluster_client.keys("vitrine:expir*")
    assert not [key for key in keys if b":keeper:" not in key]


def test_a_master_that_was_emptied_behind_our_back_is_made_whole(
    redis_cluster: LocalCluster, cluster_client: RedisCluster, pipe: Pipe
) -> None:
    purchases = [purchase(f"c{n}", f"{n:010d}", offset=n) for n in range(40)]
    stream = PurchaseStream(pipe, EventClock())
    stream.apply(batch(*purchases)).commit()
    with redis_cluster.nodes[1].client() as client:
        client.flushall()
    with pytest.raises(ConnectionError, match="has lost data"):
        stream.apply(batch(purchase("c0", "0000000001", offset=40))).commit()
    again = PurchaseStream(pipe, EventClock())
    assert again.positions() == {}
    again.apply(batch(*purchases)).commit()
    for p in purchases:
        assert stored_features(cluster_client, "customer", p.customer_id)["purchases"] == 1
        assert stored_features(cluster_client, "article", p.article_id)["units"] == 1
