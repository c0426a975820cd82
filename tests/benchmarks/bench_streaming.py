"""The stream at full speed and live: purchases a second from a filled topic, and milliseconds from Kafka to the value.

One `vitrine stream` process, real Kafka and Redis (append-only file, synced every second) beside it; then two with a
Redis of their own; then, on the same broker and topic, the same windows as a Quix Streams application of one process
(`quix_windows.py`). Purchases are shaped as H&M's: baskets of three on average, customers who come back, bestsellers
and a long tail. `make bench-streaming`, or `python -m pytest tests/benchmarks/bench_streaming.py -s --override-ini
python_files='bench_*.py'`.
"""

from __future__ import annotations

import json
import os
import random
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pytest
import redis
from feast.protos.feast.types.Value_pb2 import Value

from feature_repo.contracts import TRANSACTIONS
from feature_repo.events.rules import purchase_event
from feature_repo.online.keys import entity_key, feature_field
from feature_repo.schema import WINDOW_DAYS
from infra.base.calendar import DAY_MICROS
from infra.base.figures import Figure, write_figures
from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from infra.local.kafka.server import KafkaServer
from infra.local.kafka.topics import create_topics
from streaming.events.producer import PurchaseProducer
from tests.benchmarks.quix_peer import environment, quix_rate
from tests.streaming.worker.lazy_redis import LazyRedis
from tests.streaming.worlds import applied_offsets

PURCHASES = int(os.environ.get("VITRINE_BENCH_PURCHASES", 500_000))
PURCHASES_A_DAY = 43_000  # H&M's
DAY = 18_400
LIVE_A_SECOND = 5_000
LIVE_SECONDS = 20
PROBES = 200
LATENESS_LIMIT_S = 30
COUNTS = {"customer": ("customer_activity_30d", "purchases"), "article": ("article_activity_30d", "units")}
HM_CUSTOMERS, HM_ARTICLES, HM_PURCHASES, HM_DAYS = 1_371_980, 105_542, 31_788_324, 734
HM_IN_WINDOW = HM_PURCHASES / HM_DAYS * WINDOW_DAYS
PEER_SECONDS = float(os.environ.get("VITRINE_BENCH_PEER_SECONDS", 60))


def shop(purchases: int, seed: int = 1) -> Iterator[tuple[str, int, bytes]]:
    """(customer id, instant in microseconds, event)."""
    rng = random.Random(seed)
    customers = [f"{rng.getrandbits(256):064x}" for _ in range(purchases // 4)]
    ranks = np.random.default_rng(seed).zipf(1.25, size=purchases) % 25_000
    number = 0
    while number < purchases:
        customer_id = rng.choice(customers)
        channel = rng.choice((1, 2, 2))
        for _ in range(min(rng.choice((1, 1, 2, 3, 4, 7)), purchases - number)):
            at_us = DAY * DAY_MICROS + number * (DAY_MICROS // PURCHASES_A_DAY)
            event = purchase_event(
                f"20200518-{number:09d}",
                at_us,
                customer_id,
                f"{int(ranks[number]):010d}",
                10_000 + number % 50_000,
                channel,
            )
            yield customer_id, at_us, event
            number += 1


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    with (
        LazyRedis.start(tmp_path / "redis", tmp_path / "logs") as server,
        KafkaServer.start(tmp_path / "kafka", tmp_path / "logs") as kafka,
    ):
        create_topics(kafka.bootstrap_servers)
        yield Settings(var_dir=tmp_path / "var", redis_url=server.url, kafka_bootstrap_servers=kafka.bootstrap_servers)


def worker_of(settings: Settings, instances: int) -> VitrineCommand:
    arguments = ["stream", "--instance", "bench", "--instances", str(instances)]
    return VitrineCommand("stream", arguments, settings, lambda command: command.has_logged("streaming:"))


def test_streaming(settings: Settings, tmp_path: Path) -> None:
    client = redis.Redis.from_url(settings.redis_url)
    with PurchaseProducer(settings.kafka_bootstrap_servers, linger_ms=20) as producer:
        for customer_id, at_us, event in shop(PURCHASES):
            producer.send_soon(customer_id, event, at_us)
    print(f"\n{PURCHASES:,} purchases wait in the topic")

    worker = worker_of(settings, 1)
    backlog = backlog_rate(worker, client)
    print(
        f"backlog: {backlog.purchases_per_s:,.0f} purchases/s; {backlog.own_us:.1f} us of the worker's CPU and "
        f"{backlog.redis_us:.1f} us of Redis' each"
    )

    memory = {entity: memory_of(client, entity, count) for entity, count in COUNTS.items()}
    bytes_per = {entity: sizes.mean for entity, sizes in memory.items()}
    print(f"state and features: {bytes_per['customer']:.0f} bytes a customer, {bytes_per['article']:.0f} an article")
    whole = hm_bytes(memory)
    print(
        f"  fitted: {memory['customer'].empty:.0f} bytes a customer and {memory['customer'].each:.0f} each purchase, "
        f"{memory['article'].empty:.0f} an article and {memory['article'].each:.0f} each purchase\n"
        f"  H&M whole: {whole / 2**30:.2f} GiB, if each of {HM_CUSTOMERS:,} customers and {HM_ARTICLES:,} articles\n"
        f"  has a window, and {HM_IN_WINDOW:,.0f} of the {HM_PURCHASES:,} purchases in {HM_DAYS} days are in one"
    )

    latencies = live(settings, client)
    p50, p99 = np.percentile(latencies, [50, 99])
    print(
        f"live at {LIVE_A_SECOND:,}/s: acknowledged to online value "
        f"p50 {p50:.0f} ms, p99 {p99:.0f} ms of {len(latencies)}"
    )
    worker.stop()
    with LazyRedis.start(tmp_path / "second", tmp_path / "logs") as server:
        other = replace(settings, var_dir=tmp_path / "second", redis_url=server.url)
        workers = worker_of(other, 2)
        both = backlog_rate(workers, redis.Redis.from_url(server.url))
        workers.stop()
    print(f"two workers: {both.purchases_per_s:,.0f} purchases/s on {os.cpu_count()} cores")
    rate = backlog.purchases_per_s
    python = environment(Settings.from_environment().var_dir / "quix")
    peer_folder = settings.var_dir / "quix"
    servers, redis_url = settings.kafka_bootstrap_servers, settings.redis_url
    peer = quix_rate(python, servers, TRANSACTIONS, redis_url, PURCHASES, peer_folder, PEER_SECONDS)
    print(
        f"quix-streams: {peer.purchases_per_s:,.0f} purchases/s, so Vitrine is {rate / peer.purchases_per_s:.1f} times "
        "as fast; one process each, the other stopped\n"
        f"  Vitrine: purchases {backlog.first:,} to {PURCHASES:,}; exactly once by offsets fenced in Redis, which has\n"
        "  windows and features (append-only file); events validated, and in the event log\n"
        f"  quix-streams: purchases {peer.first:,} to {peer.last:,}; exactly once by Kafka transactions; windows in\n"
        "  RocksDB with changelog topics, articles through a repartition topic; features to the same Redis, as JSON;\n"
        "  events not validated, no event log, windows of silent customers do not fall"
    )
    figures = {
        "purchases_per_s": Figure(rate, "1/s", "quix-streams", peer.purchases_per_s),
        "purchases_per_s_two_workers": Figure(both.purchases_per_s, "1/s"),
        "worker_cpu_us_per_purchase": Figure(backlog.own_us, "us"),
        "redis_cpu_us_per_purchase": Figure(backlog.redis_us, "us"),
        "live_event_to_value_ms_p50": Figure(float(p50), "ms"),
        "live_event_to_value_ms_p99": Figure(float(p99), "ms"),
        "bytes_per_customer": Figure(bytes_per["customer"], "bytes"),
        "bytes_per_article": Figure(bytes_per["article"], "bytes"),
        "hm_state_gib": Figure(whole / 2**30, "GiB"),
    }
    print(write_figures(Settings.from_environment().reports_dir, "streaming", figures))


class Backlog(NamedTuple):
    """How fast a filled topic is read, from the ``first`` purchase that counts to the end."""

    purchases_per_s: float
    own_us: float  # CPU of the workers, each purchase
    redis_us: float
    first: int


def backlog_rate(workers: VitrineCommand, client: redis.Redis) -> Backlog:
    """Joining the group and the first batches are not what is measured."""
    workers.start_again()
    main = psutil.Process(workers.pid)

    def cpu() -> float:
        return sum(sum(process.cpu_times()[:2]) for process in (main, *main.children(recursive=True)))

    while applied(client) < PURCHASES // 10:
        time.sleep(0.02)
    first, started, own, of_redis = applied(client), time.perf_counter(), cpu(), redis_seconds(client)
    while applied(client) < PURCHASES:
        time.sleep(0.02)
    seconds, measured = time.perf_counter() - started, PURCHASES - first
    own_us, redis_us = (cpu() - own) / measured * 1e6, (redis_seconds(client) - of_redis) / measured * 1e6
    return Backlog(measured / seconds, own_us, redis_us, first)


def applied(client: Any) -> int:
    return sum(applied_offsets(client).values())


def redis_seconds(client: redis.Redis) -> float:
    told = client.info("cpu")
    return float(told["used_cpu_user"] + told["used_cpu_sys"])


class Memory(NamedTuple):
    """Bytes of a hash in Redis, its key and all overhead included: the mean, and the line through what was measured."""

    mean: float
    empty: float
    each: float  # more for each purchase of the window


def memory_of(client: redis.Redis, entity: str, count: tuple[str, str]) -> Memory:
    """Of up to 20,000 entities; ``count`` is the view and feature that tells how many purchases a window holds."""
    prefix = entity_key(entity, "x").split(b"x")[0][:-8]
    keys = [key for key in client.scan_iter(count=5_000) if key.startswith(prefix)][:20_000]
    pipeline = client.pipeline(transaction=False)
    for key in keys:
        pipeline.memory_usage(key, samples=0).hget(key, feature_field(*count))
    replies = pipeline.execute()
    sizes = replies[::2]
    purchases = [Value.FromString(reply).int64_val for reply in replies[1::2]]
    each, empty = np.polyfit(purchases, sizes, 1)
    return Memory(float(np.mean(sizes)), float(empty), float(each))


def hm_bytes(memory: dict[str, Memory]) -> float:
    """State and features of H&M's whole size."""
    entities = HM_CUSTOMERS * memory["customer"].empty + HM_ARTICLES * memory["article"].empty
    return entities + HM_IN_WINDOW * (memory["customer"].each + memory["article"].each)


def live(settings: Settings, client: redis.Redis) -> list[float]:
    """Milliseconds from Kafka's acknowledgement of a probe to its value, while others buy."""
    stop = threading.Event()
    now_us = DAY * DAY_MICROS + PURCHASES * (DAY_MICROS // PURCHASES_A_DAY)

    def others() -> None:
        started, sent = time.perf_counter(), 0
        with PurchaseProducer(settings.kafka_bootstrap_servers, linger_ms=5) as producer:
            for customer_id, _, event in shop(LIVE_A_SECOND * (LIVE_SECONDS + 10), seed=2):
                event = event.replace(b'"event_id":"2020', b'"event_id":"live')
                producer.send_soon(customer_id, event, now_us)
                sent += 1
                ahead = sent / LIVE_A_SECOND - (time.perf_counter() - started)
                if ahead > 0.005:
                    time.sleep(ahead)
                if stop.is_set():
                    break

    crowd = threading.Thread(target=others)
    crowd.start()
    latencies = []
    field = feature_field("customer_activity_30d", "purchases")
    with PurchaseProducer(settings.kafka_bootstrap_servers) as producer:
        time.sleep(3)
        for number in range(PROBES):
            customer_id = f"probe-{number}"
            event = purchase_event(f"probe-{number}", now_us, customer_id, "0000000001", 10_000, 2)
            producer.send_soon(customer_id, event, now_us).get(timeout=30)
            acknowledged = time.perf_counter()
            key = entity_key("customer", customer_id)
            while client.hget(key, field) is None:
                if time.perf_counter() - acknowledged > LATENESS_LIMIT_S:
                    raise TimeoutError(
                        f"probe {number} did not arrive; {json.dumps(client.info('stats'), default=str)}"
                    )
                time.sleep(0.001)
            latencies.append((time.perf_counter() - acknowledged) * 1000)
            time.sleep(random.random() * 2 * (LIVE_SECONDS - 5) / PROBES)
    stop.set()
    crowd.join()
    return latencies
