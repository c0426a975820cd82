"""`vitrine stream` on a Redis Cluster whose master dies for good while its replica is behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from feature_repo.events.purchase import Purchase
from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from infra.local.kafka.server import KafkaServer
from streaming.events.producer import PurchaseProducer
from tests.local_cluster import LocalCluster
from tests.streaming.conftest import wait_for
from tests.streaming.worker.test_worker import applied, differences, has_applied, send_all, shop
from tests.streaming.worlds import DAY


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    """A cluster of this test alone, for it will not be the same again."""
    with LocalCluster(tmp_path / "cluster") as cluster:
        yield cluster


@pytest.fixture
def deployment(tmp_path: Path, cluster: LocalCluster, kafka_topics: KafkaServer) -> Settings:
    """What the workers get to know."""
    return Settings(
        var_dir=tmp_path / "var", redis_url=cluster.url, kafka_bootstrap_servers=kafka_topics.bootstrap_servers
    )


def test_a_replica_that_takes_over_without_the_last_writes_changes_no_window(
    deployment: Settings, cluster: LocalCluster, start_worker: Callable[..., VitrineCommand]
) -> None:
    purchases = shop(2_000)
    master = cluster.nodes[1]
    replica = cluster.add_replica(master)
    start_worker()
    start_worker()

    def send(some: list[Purchase]) -> None:
        with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
            send_all(producer, some)

    with cluster.client() as client:
        send(purchases[:700])
        wait_for(partial(has_applied, client, 700), what="all that was sent")
        wait_for(lambda: replica.replication()["slave_repl_offset"] == master.replication()["master_repl_offset"])
        master.cut_off_replicas()
        send(purchases[700:1_400])
        wait_for(partial(has_applied, client, 1_400), what="all that was sent")
        behind = master.replication()["master_repl_offset"] - replica.replication()["slave_repl_offset"]
        assert behind > 10_000, "bytes of the master's history that only it knows"
        master.kill()
        wait_for(lambda: replica.replication()["role"] == "master", what="the replica to take over")
    with cluster.client() as client:
        send(purchases[1_400:])
        wait_for(lambda: applied(client) == len(purchases), seconds=60, what="all applied, in every master's word")
        wait_for(lambda: not differences(client, purchases, DAY), seconds=60, what="every window as batch has it")
