"""`vitrine stream` on a Redis Cluster whose masters are killed, and come back without what they wrote last."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
from kafka import KafkaProducer
from redis.cluster import RedisCluster

from feature_repo.events.purchase import Purchase
from feature_repo.online.entity_values import fields_of, parse
from feature_repo.online.keys import entity_key
from feature_repo.schema import ARTICLE_ACTIVITY_30D, ARTICLE_AVAILABILITY, CUSTOMER_ACTIVITY_30D, View
from infra.base.errors import UserError
from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from infra.local.kafka.server import KafkaServer
from infra.local.redis import RedisServer
from streaming.events.producer import PurchaseProducer
from streaming.worker.status import stream_status
from tests.local_cluster import LocalCluster
from tests.stock_feast import stock_feast
from tests.streaming.conftest import wait_for
from tests.streaming.worker.test_worker import applied, differences, has_applied, send_all, shop
from tests.streaming.worlds import DAY, article_features, customer_features

Start = Callable[..., VitrineCommand]


@pytest.fixture
def deployment(tmp_path: Path, redis_cluster: LocalCluster, kafka_topics: KafkaServer) -> Settings:
    """Empty topics, an empty cluster and a folder of its own."""
    return Settings(
        var_dir=tmp_path / "var", redis_url=redis_cluster.url, kafka_bootstrap_servers=kafka_topics.bootstrap_servers
    )


def test_stock_feast_reads_from_the_cluster_what_was_streamed(
    deployment: Settings, cluster_client: RedisCluster, start_worker: Start
) -> None:
    purchases = shop(400)
    start_worker()
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        send_all(producer, purchases)
    wait_for(lambda: not differences(cluster_client, purchases, DAY), seconds=60, what="every window as batch has it")

    stock = stock_feast(deployment)

    def read(view: View, ids: list[str]) -> list[dict[str, object]]:
        key = f"{view.entity}_id"
        columns = stock.get_online_features(view.references(), [{key: one} for one in ids]).to_dict()
        return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]

    customers = sorted({p.customer_id for p in purchases if p.day > DAY - 30})
    for row in read(CUSTOMER_ACTIVITY_30D, customers):
        assert row == {"customer_id": row["customer_id"]} | customer_features(purchases, str(row["customer_id"]), DAY)
    articles = sorted({p.article_id for p in purchases if p.day > DAY - 30})
    for row in read(ARTICLE_ACTIVITY_30D, articles):
        assert row == {"article_id": row["article_id"]} | article_features(purchases, str(row["article_id"]), DAY)

    status = stream_status(deployment)
    assert sum(partition.applied for partition in status.partitions) == len(purchases)
    wait_for(lambda: list(stream_status(deployment).workers) == ["stream-0"], what="the worker's word")


@pytest.mark.parametrize("loss", ["last writes", "everything"])
def test_a_master_that_is_killed_and_has_lost_writes_changes_no_window(
    deployment: Settings, redis_cluster: LocalCluster, cluster_client: RedisCluster, start_worker: Start, loss: str
) -> None:
    purchases = shop(2_000)
    start_worker()
    start_worker()
    node = redis_cluster.nodes[1]

    def send(some: list[Purchase]) -> None:
        with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
            send_all(producer, some)

    send(purchases[:700])
    wait_for(partial(has_applied, cluster_client, 700), what="all that was sent")
    known_to_disk = node.log_bytes()
    send(purchases[700:1_400])
    wait_for(partial(has_applied, cluster_client, 1_400), what="all that was sent")
    node.kill()
    if loss == "everything":
        node.empty()
    else:
        assert node.log_bytes() > known_to_disk
        node.set_back(known_to_disk)
    redis_cluster.start_again()
    send(purchases[1_400:])
    wait_for(lambda: applied(cluster_client) == len(purchases), seconds=60, what="all applied, in every master's word")
    wait_for(lambda: not differences(cluster_client, purchases, DAY), seconds=60, what="every window as batch has it")


def test_a_url_that_says_the_wrong_kind_of_redis_is_told_the_right_one(
    redis_server: RedisServer, redis_cluster: LocalCluster, tmp_path: Path
) -> None:
    one_node = f"redis://{redis_cluster.nodes[0].address}/0"
    with pytest.raises(UserError, match=r"is a node of a Redis Cluster; write VITRINE_REDIS_URL as redis\+cluster://"):
        stream_status(Settings(var_dir=tmp_path, redis_url=one_node))
    no_cluster = f"redis+cluster://{redis_server.address}"
    with pytest.raises(UserError, match=r"is no node of a Redis Cluster; write VITRINE_REDIS_URL as redis://"):
        stream_status(Settings(var_dir=tmp_path, redis_url=no_cluster))


def test_stock_that_a_master_has_lost_is_told_again(
    deployment: Settings, redis_cluster: LocalCluster, cluster_client: RedisCluster, start_worker: Start
) -> None:
    def say(article_id: str, second: int, in_stock: bool) -> None:
        at = f"2020-09-20T10:00:{second:02d}Z"
        event = {"event_id": f"s{second}", "occurred_at": at, "article_id": article_id, "in_stock": in_stock}
        producer = KafkaProducer(bootstrap_servers=deployment.kafka_bootstrap_servers)
        producer.send("availability", json.dumps(event).encode(), key=article_id.encode()).get(timeout=30)
        producer.close()

    def in_stock(article_id: str) -> object:
        client: Any = cluster_client
        raw = client.hmget(entity_key("article", article_id), fields_of([ARTICLE_AVAILABILITY]))
        values = parse(article_id, [ARTICLE_AVAILABILITY], raw, datetime(2020, 9, 21, tzinfo=UTC)).values
        return values.get("article_availability:in_stock")

    def logged() -> int:
        files = sorted(map(str, (deployment.event_log_dir / "availability").glob("day=*/*.parquet")))
        return ds.dataset(files).count_rows() if files else 0

    article_id = "0108775015"
    node = redis_cluster.node_of(entity_key("article", article_id))
    start_worker("--log-every", "0.1")
    say(article_id, 1, True)
    wait_for(lambda: in_stock(article_id) is True, what="the article in stock")
    known_to_disk = node.log_bytes()
    say(article_id, 2, False)
    wait_for(lambda: in_stock(article_id) is False and logged() == 2, what="the article out of stock, and in the log")
    node.kill()
    node.set_back(known_to_disk)
    redis_cluster.start_again()
    wait_for(lambda: in_stock(article_id) is False, what="the article out of stock again")
    assert logged() == 2
