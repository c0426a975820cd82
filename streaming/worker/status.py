"""How the stream is doing, seen from outside: partitions by lag and watermark, workers by what they counted."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from redis.exceptions import RedisError

from feature_repo.contracts import EVENT_CLOCK_KEY, TRANSACTIONS, WATERMARKS_KEY, WORKER_KEY
from feature_repo.events.rules import instant_text
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.cluster_slots import master_clients
from feature_repo.online.redis_pipe import Pipe
from infra.base.settings import Settings
from streaming.store.checkpoints import Checkpoints
from streaming.time.event_clock import EventClock
from streaming.unreachable import kafka_unreachable, redis_unreachable

WORKER_SECONDS = 10


@dataclass
class Progress:
    """What the log line tells: events read so far, lag, clock."""

    events: int = 0
    lag: int = 0
    clock_us: int = 0


class WorkerWord:
    """What a worker leaves in Redis about itself; it fades when nobody renews it."""

    def __init__(self, name: str) -> None:
        self._key = f"{WORKER_KEY}{name}".encode()
        self._at, self._events = time.monotonic(), 0

    def renew(self, pipe: Pipe, events: int, lag: int, clock: EventClock, counted: Mapping[str, Any]) -> None:
        """Tell how many events were read so far, how many wait, and what was counted."""
        seconds, read = time.monotonic() - self._at, events - self._events
        self._at, self._events = time.monotonic(), events
        figures = {
            "events_per_second": read / seconds,
            "lag": lag,
            "watermark_delay_seconds": max(0, clock.newest_us - clock.now_us) / 1e6,
            **counted,
        }
        pipe.call(b"SET", self._key, json.dumps(figures).encode(), b"EX", b"%d" % WORKER_SECONDS)


@dataclass(frozen=True)
class PartitionStatus:
    """One partition of ``transactions``: offsets applied, offsets there are, and its newest purchase."""

    partition: int
    applied: int
    end: int
    newest: str

    @property
    def lag(self) -> int:
        return max(0, self.end - self.applied)


@dataclass(frozen=True)
class StreamStatus:
    """The event clock, the partitions, and what each living worker tells (name to figures)."""

    clock: str
    partitions: list[PartitionStatus]
    workers: dict[str, dict[str, Any]]


def stream_status(settings: Settings) -> StreamStatus:
    """Ask Redis and Kafka.

    Raises:
        UserError: one of them does not answer.
    """
    from kafka import KafkaConsumer, TopicPartition
    from kafka.errors import KafkaError

    try:
        with closing(open_pipe(settings.redis_url)) as pipe:
            applied = Checkpoints(pipe, TRANSACTIONS).read()
            flat = pipe.call(b"HGETALL", WATERMARKS_KEY)
            watermarks = dict(zip(map(int, flat[::2]), flat[1::2], strict=True))
            clock = pipe.call(b"GET", EVENT_CLOCK_KEY)
            keys = sorted(_worker_keys(settings.redis_url))
            told = [pipe.call(b"GET", key) for key in keys]
    except RedisError as error:
        raise redis_unreachable(settings.redis_url, error) from error
    try:
        consumer = KafkaConsumer(bootstrap_servers=settings.kafka_bootstrap_servers, bootstrap_timeout_ms=10_000)
        try:
            numbers = sorted(consumer.partitions_for_topic(TRANSACTIONS) or ())
            ends = consumer.end_offsets([TopicPartition(TRANSACTIONS, number) for number in numbers])
        finally:
            consumer.close()
    except KafkaError as error:
        raise kafka_unreachable(settings.kafka_bootstrap_servers, error) from error
    partitions = [
        PartitionStatus(
            partition.partition,
            applied.get(partition.partition, 0),
            end,
            _newest(watermarks.get(partition.partition)),
        )
        for partition, end in ends.items()
    ]
    workers = {
        key.decode().removeprefix(WORKER_KEY): json.loads(value)
        for key, value in zip(keys, told, strict=True)
        if value is not None
    }
    return StreamStatus(clock.decode() if clock else "not started", partitions, workers)


def status_lines(status: StreamStatus) -> list[str]:
    """The status as a person reads it."""
    lines = [
        f"event clock {status.clock}",
        "",
        f"{'partition':>9}{'applied':>12}{'end':>12}{'lag':>10}  newest purchase",
    ]
    lines += [f"{p.partition:>9}{p.applied:>12,}{p.end:>12,}{p.lag:>10,}  {p.newest}" for p in status.partitions]
    lines.append("")
    if not status.workers:
        lines.append("no worker runs; start one with `vitrine stream`")
    for name, figures in status.workers.items():
        told = ", ".join(
            f"{figure.replace('_', ' ')} {value:,.1f}"
            if isinstance(value, float)
            else f"{figure.replace('_', ' ')} {value:,}"
            for figure, value in figures.items()
        )
        lines.append(f"worker {name}: {told}")
    return lines


def _worker_keys(redis_url: str) -> list[bytes]:
    keys: list[bytes] = []
    for master in master_clients(redis_url):
        with master:
            keys += master.scan_iter(match=f"{WORKER_KEY}*", count=10_000)
    return keys


def _newest(published: bytes | None) -> str:
    return instant_text(int(published.split(b":")[0])) if published else "-"
