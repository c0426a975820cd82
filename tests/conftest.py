"""Real servers for the tests, one of each per run, on free ports and with their data in temporary folders."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import hypothesis
import pytest
import redis
from redis.cluster import RedisCluster

from infra.local.kafka.server import KafkaServer
from infra.local.kafka.topics import create_topics
from infra.local.redis import RedisServer
from tests.local_cluster import LocalCluster

# TensorFlow Recommenders needs Keras 2, chosen before anything first imports TensorFlow.
os.environ.setdefault("TF_USE_LEGACY_KERAS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

# A machine that is busy for a moment is no failure of what is tested.
hypothesis.settings.register_profile("vitrine", deadline=None)
hypothesis.settings.load_profile("vitrine")


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis server; what earlier tests stored is still there."""
    folder = tmp_path_factory.mktemp("redis")
    with RedisServer.start(folder / "data", folder / "logs") as server:
        yield server


@pytest.fixture
def redis_client(redis_server: RedisServer) -> Iterator[redis.Redis]:
    """A client of an empty Redis."""
    redis_server.start_again()  # in case a test has ended it
    with redis.Redis.from_url(redis_server.url) as client:
        client.flushall()
        yield client


@pytest.fixture(scope="session")
def running_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A Redis Cluster; what earlier tests stored or ended is as they left it."""
    with LocalCluster(tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture
def redis_cluster(running_cluster: LocalCluster) -> LocalCluster:
    """A whole and empty Redis Cluster."""
    running_cluster.start_again()  # in case a test has ended a node
    for node in running_cluster.nodes:
        with node.client() as client:
            client.flushall()
    return running_cluster


@pytest.fixture
def cluster_client(redis_cluster: LocalCluster) -> Iterator[RedisCluster]:
    """redis-py's client of it."""
    with redis_cluster.client() as client:
        yield client


@dataclass(frozen=True)
class OnlineStore:
    """An empty online store, one Redis or a cluster, and redis-py's client of it."""

    url: str
    client: Any


@pytest.fixture(params=["redis", "cluster"])
def store(request: pytest.FixtureRequest) -> OnlineStore:
    """What must hold on one Redis must hold on a Redis Cluster."""
    if request.param == "redis":
        return OnlineStore(request.getfixturevalue("redis_server").url, request.getfixturevalue("redis_client"))
    return OnlineStore(request.getfixturevalue("redis_cluster").url, request.getfixturevalue("cluster_client"))


@pytest.fixture(scope="session")
def kafka_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaServer]:
    """A Kafka broker without topics of its own making; what earlier tests created is still there."""
    folder = tmp_path_factory.mktemp("kafka")
    with KafkaServer.start(folder / "data", folder / "logs") as server:
        yield server


@pytest.fixture
def kafka_topics(kafka_server: KafkaServer) -> KafkaServer:
    """The broker with all of Vitrine's topics in place and empty."""
    from kafka.admin import KafkaAdminClient

    kafka_server.start_again()  # in case a test has ended it
    admin = KafkaAdminClient(bootstrap_servers=kafka_server.address)
    old = [name for name in admin.list_topics() if not name.startswith("__")]
    if old:
        admin.delete_topics(old)
    admin.close()
    create_topics(kafka_server.address)
    return kafka_server
