"""`vitrine stream` as a process among real Kafka and Redis: from the purchase sent to the value that is read."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import redis

from feature_repo.contracts import TRANSACTIONS
from feature_repo.events.purchase import Purchase, buyer_digest
from feature_repo.events.rules import purchase_event
from infra.base.calendar import DAY_MICROS, epoch_micros
from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from infra.local.kafka.topics import create_topics
from streaming.events.producer import NewPurchase, PurchaseProducer
from streaming.worker.status import status_lines, stream_status
from tests.streaming.conftest import wait_for
from tests.streaming.worlds import DAY, applied_offsets, article_features, customer_features, stored_features

Start = Callable[..., VitrineCommand]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def shop(purchases: int, seed: int = 7) -> list[Purchase]:
    """Purchases of forty days in the order of time."""
    rng = random.Random(seed)
    days = sorted(rng.randrange(DAY - 39, DAY + 1) for _ in range(purchases))
    sold = []
    for number, day in enumerate(days):
        customer_id, at_us = f"customer-{rng.randrange(60):02d}", day * DAY_MICROS + number
        sold.append(
            Purchase(
                f"e{number:06d}", at_us, day, customer_id, buyer_digest(customer_id), f"{rng.randrange(25):010d}",
                rng.randrange(1, 100_000), rng.choice((1, 2)), 0, number,
            )
        )  # fmt: skip
    return sold


def send_all(producer: PurchaseProducer, purchases: list[Purchase]) -> None:
    for p in purchases:
        event = purchase_event(
            p.event_id, p.occurred_at_us, p.customer_id, p.article_id, p.price_micros, p.sales_channel_id
        )
        producer.send_soon(p.customer_id, event, p.occurred_at_us)
    producer.flush()


def differences(client: Any, purchases: list[Purchase], day: int) -> dict[str, Any]:
    """Entities whose stored features are not what brute force gives; windows that never were in Redis are empty."""
    wrong = {}
    for customer_id in {p.customer_id for p in purchases}:
        expected = customer_features(purchases, customer_id, day)
        stored = stored_features(client, "customer", customer_id)
        if stored != expected and (stored or expected["purchases"]):
            wrong[customer_id] = (stored, expected)
    for article_id in {p.article_id for p in purchases}:
        expected = article_features(purchases, article_id, day)
        stored = stored_features(client, "article", article_id)
        if stored != expected and (stored or expected["units"]):
            wrong[article_id] = (stored, expected)
    return wrong


def applied(client: Any) -> int:
    """How many offsets of all partitions are applied."""
    return sum(applied_offsets(client).values())


def has_applied(client: Any, offsets: int) -> bool:
    return applied(client) >= offsets


def went_on(client: redis.Redis, before: int) -> bool:
    return applied(client) > before


def logged_event_ids(settings: Settings) -> list[str]:
    folder = settings.event_log_dir / TRANSACTIONS
    files = sorted(map(str, folder.glob("day=*/*.parquet")))
    return ds.dataset(files).to_table(columns=["event_id"]).column("event_id").to_pylist() if files else []


def test_a_purchase_sent_is_readable_by_our_reader_and_by_stock_feast(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    start_worker()
    with PurchaseProducer(deployment.kafka_bootstrap_servers) as producer:
        at = EPOCH + timedelta(days=DAY, seconds=17)
        acknowledged = producer.send(NewPurchase("e1", at, "anna", "0108775015", 25_400, 2))
    assert acknowledged.offset == 0
    wait_for(lambda: stored_features(redis_client, "article", "0108775015"), what="the article's features")
    assert stored_features(redis_client, "customer", "anna") == {
        "purchases": 1,
        "spend_micros": 25_400,
        "distinct_articles": 1,
        "active_days": 1,
        "mean_price_micros": 25_400.0,
        "online_share": 1.0,
        "last_purchase_at": epoch_micros(at),
        "articles": ["0108775015"],
        "articles_at": [epoch_micros(at)],
    }
    from feature_repo.store import open_store

    answer = open_store(deployment).get_online_features(
        ["customer_activity_30d:purchases", "customer_activity_30d:articles", "customer_activity_30d:articles_at"],
        [{"customer_id": "anna"}],
    )
    assert {name: values[0] for name, values in answer.to_dict().items()} == {
        "customer_id": "anna",
        "purchases": 1,
        "articles": ["0108775015"],
        "articles_at": [epoch_micros(at)],
    }


def test_no_purchase_is_lost_or_counted_twice_when_workers_are_killed(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    purchases = shop(3_000)
    worker = start_worker("--log-every", "0.5")
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        for start in range(0, len(purchases), 600):
            send_all(producer, purchases[start : start + 600])
            wait_for(partial(went_on, redis_client, applied(redis_client)), what="progress")
            worker.kill()
            worker.start_again()
    wait_for(lambda: not differences(redis_client, purchases, DAY), seconds=60, what="every window as batch has it")
    wait_for(lambda: len(logged_event_ids(deployment)) >= len(purchases), what="every purchase in the event log")
    assert sorted(logged_event_ids(deployment)) == [p.event_id for p in purchases]


def test_an_idle_worker_makes_an_emptied_redis_whole(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    purchases = shop(50)
    start_worker()
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        send_all(producer, purchases)
    wait_for(partial(has_applied, redis_client, len(purchases)), what="all that was sent")
    redis_client.flushall()
    clock_day = purchases[-1].day  # as far as the purchases go
    wait_for(lambda: not differences(redis_client, purchases, clock_day), what="every window as batch has it")


def test_bad_events_are_set_aside_with_their_reason_and_the_others_go_on(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    from kafka import KafkaConsumer, KafkaProducer, TopicPartition

    start_worker()
    producer = KafkaProducer(bootstrap_servers=deployment.kafka_bootstrap_servers)
    good = purchase_event("e1", DAY * DAY_MICROS, "anna", "0108775015", 25_400, 2)
    for value in (b"not JSON", None, good.replace(b"0.0254", b"-1"), good):
        producer.send(TRANSACTIONS, value=value, key=b"anna")
    producer.flush()
    producer.close()
    wait_for(lambda: stored_features(redis_client, "article", "0108775015"), what="the good event")
    consumer = KafkaConsumer(
        bootstrap_servers=deployment.kafka_bootstrap_servers, auto_offset_reset="earliest", enable_auto_commit=False
    )
    consumer.assign([TopicPartition("transactions.dead-letter", 0)])
    letters: list[Any] = []

    def all_there() -> bool:
        letters.extend(record for records in consumer.poll(100).values() for record in records)
        return len(letters) == 3

    wait_for(all_there)
    consumer.close()
    assert [letter.value for letter in letters] == [b"not JSON", None, good.replace(b"0.0254", b"-1")]
    headers = [dict(letter.headers) for letter in letters]
    assert [h["offset"] for h in headers] == [b"0", b"1", b"2"]
    assert headers[0]["reason"].startswith(b"not JSON")
    assert headers[2]["reason"] == b"field 'price' holds -1; expected a price from 0 to 1,000,000,000"
    assert len({h["partition"] for h in headers}) == 1


def test_a_worker_told_to_stop_logs_and_commits_everything(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    from kafka import KafkaConsumer, TopicPartition

    purchases = shop(200)
    worker = start_worker()
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        send_all(producer, purchases)
    wait_for(lambda: not differences(redis_client, purchases, DAY), what="the windows")
    worker.stop()
    assert sorted(logged_event_ids(deployment)) == [p.event_id for p in purchases]
    consumer = KafkaConsumer(bootstrap_servers=deployment.kafka_bootstrap_servers, group_id="vitrine-stream")
    partitions = [TopicPartition(TRANSACTIONS, number) for number in range(6)]
    assert sum(consumer.committed(partition) for partition in partitions) == len(purchases)
    consumer.close()


def test_stock_reaches_the_online_store_and_interactions_the_log(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    from kafka import KafkaProducer

    from feature_repo.online.entity_values import fields_of, parse
    from feature_repo.online.keys import entity_key
    from feature_repo.schema import ARTICLE_AVAILABILITY

    worker = start_worker()
    at = "2020-09-20T10:00:0{}Z"
    stock = [
        {"event_id": "s2", "occurred_at": at.format(2), "article_id": "0108775015", "in_stock": False},
        {"event_id": "s1", "occurred_at": at.format(1), "article_id": "0108775015", "in_stock": True},  # late, older
    ]
    seen = {"event_id": "i1", "occurred_at": at.format(3), "customer_id": "anna", "kind": "click"}
    producer = KafkaProducer(bootstrap_servers=deployment.kafka_bootstrap_servers)
    for event in stock:
        producer.send("availability", json.dumps(event).encode(), key=b"0108775015")
    producer.send("interactions", json.dumps(seen | {"article_id": "0108775015"}).encode(), key=b"anna")
    producer.flush()
    producer.close()

    def in_stock() -> Any:
        client: Any = redis_client
        raw = client.hmget(entity_key("article", "0108775015"), fields_of([ARTICLE_AVAILABILITY]))
        return parse("0108775015", [ARTICLE_AVAILABILITY], raw, EPOCH).values.get("article_availability:in_stock")

    wait_for(lambda: in_stock() is False, what="the article out of stock")
    wait_for(lambda: redis_client.xlen("vitrine:article-changes"), what="the announcement")
    worker.stop()
    assert in_stock() is False
    log = {topic: ds.dataset(deployment.event_log_dir / topic).to_table() for topic in ("availability", "interactions")}
    assert sorted(log["availability"].column("event_id").to_pylist()) == ["s1", "s2"]
    assert log["interactions"].column("kind").to_pylist() == ["click"]


def test_dead_letters_are_listed_and_put_back_once(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    from kafka import KafkaProducer

    from streaming.log.dead_letter_replay import DeadLetterReplay

    deployment.tables_dir.mkdir(parents=True)
    catalogue = deployment.tables_dir / "articles.parquet"
    pq.write_table(pa.table({"article_id": ["0000000001"]}), catalogue)
    start_worker()
    producer = KafkaProducer(bootstrap_servers=deployment.kafka_bootstrap_servers)
    event = purchase_event("e1", DAY * DAY_MICROS, "anna", "0108775015", 25_400, 2)
    producer.send(TRANSACTIONS, event, key=b"anna")
    producer.flush()
    producer.close()
    box = DeadLetterReplay(deployment.kafka_bootstrap_servers, TRANSACTIONS)
    wait_for(box.letters, what="the dead letter")
    assert [(letter.offset, letter.value) for letter in box.letters()] == [(0, event)]
    assert "expected an article of the catalogue" in box.letters()[0].reason

    pq.write_table(pa.table({"article_id": ["0000000001", "0108775015"]}), catalogue)  # the fix
    assert box.put_back() == 1
    wait_for(lambda: stored_features(redis_client, "article", "0108775015"), what="the event put back")
    assert box.letters() == []
    assert len(box.letters(put_back_too=True)) == 1
    assert box.put_back() == 0
    box.close()


def test_status_tells_clock_lag_and_what_each_worker_has_counted(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:

    assert "no worker runs; start one with `vitrine stream`" in status_lines(stream_status(deployment))
    start_worker()
    with PurchaseProducer(deployment.kafka_bootstrap_servers) as producer:
        producer.send(NewPurchase("e1", EPOCH + timedelta(days=DAY), "anna", "0108775015", 25_400, 2))
    wait_for(
        lambda: [w["counted"] for w in stream_status(deployment).workers.values()] == [1], what="the worker's word"
    )
    status = stream_status(deployment)
    assert status.clock == "2020-09-20T00:00:00.000000Z"
    assert [(p.applied, p.lag) for p in status.partitions if p.end] == [(1, 0)]


def test_by_the_wall_clock_windows_fall_while_nothing_is_sold(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    today = datetime.now(UTC).replace(hour=0, minute=0, second=1, microsecond=0)
    with PurchaseProducer(deployment.kafka_bootstrap_servers) as producer:
        producer.send(NewPurchase("e1", today - timedelta(days=29), "anna", "0108775015", 25_400, 2))
        producer.send(NewPurchase("e2", today - timedelta(days=33), "bert", "0108775016", 9_900, 1))

    def purchases_of(customer_id: str) -> int | None:
        return stored_features(redis_client, "customer", customer_id).get("purchases")

    worker = start_worker()  # by the purchases' time all of it is within 30 days
    wait_for(lambda: (purchases_of("anna"), purchases_of("bert")) == (1, 1), what="both windows")
    worker.stop()
    start_worker("--clock", "wall")
    wait_for(lambda: purchases_of("bert") == 0, what="the customer's window that has emptied")
    wait_for(lambda: stored_features(redis_client, "article", "0108775016")["units"] == 0, what="the article's")
    assert purchases_of("anna") == 1


@pytest.mark.parametrize("while_it_runs", [False, True], ids=["between two runs", "under a running worker"])
def test_a_topic_made_anew_is_not_taken_for_the_old_one(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start, while_it_runs: bool
) -> None:
    from kafka.admin import KafkaAdminClient

    worker = start_worker("--log-every", "0.5")
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        send_all(producer, shop(300))
    wait_for(partial(has_applied, redis_client, 300), what="all that was sent")
    if not while_it_runs:
        worker.stop()
    admin = KafkaAdminClient(bootstrap_servers=deployment.kafka_bootstrap_servers)
    admin.delete_topics([TRANSACTIONS])
    admin.close()
    create_topics(deployment.kafka_bootstrap_servers)
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        send_all(producer, shop(600, seed=8))  # it reaches beyond what was read of the old one
    if not while_it_runs:
        worker.start_again()
    wait_for(lambda: worker.has_logged("the topic was made anew"), seconds=60, what="the complaint")
    wait_for(lambda: not worker.is_running, what="the end of the worker")
    assert applied(redis_client) == len(logged_event_ids(deployment)) == 300


def test_two_instances_share_the_partitions(
    deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    purchases = shop(1_000)
    start_worker()
    start_worker()

    def counted() -> list[int]:
        return [worker["counted"] for worker in stream_status(deployment).workers.values()]

    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        for start in range(0, len(purchases), 50):  # the partitions are shared while purchases come in
            send_all(producer, purchases[start : start + 50])
            wait_for(partial(has_applied, redis_client, start + 50), what="all that was sent")
            time.sleep(0.3)
    wait_for(lambda: len(counted()) == 2 and all(counted()), what="a share of the purchases for each")
    wait_for(lambda: not differences(redis_client, purchases, DAY), seconds=60, what="every window as batch has it")
