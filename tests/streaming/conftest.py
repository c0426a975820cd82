"""A whole deployment for streaming tests: settings of its own, real Redis and Kafka, workers as processes."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from infra.local.kafka.server import KafkaServer
from infra.local.redis import RedisServer


@pytest.fixture
def deployment(
    tmp_path: Path, redis_server: RedisServer, redis_client: redis.Redis, kafka_topics: KafkaServer
) -> Settings:
    """Empty topics, an empty Redis and a folder of its own."""
    return Settings(
        var_dir=tmp_path / "var", redis_url=redis_server.url, kafka_bootstrap_servers=kafka_topics.bootstrap_servers
    )


@pytest.fixture
def start_worker(deployment: Settings) -> Iterator[Callable[..., VitrineCommand]]:
    """Starts `vitrine stream` as a process; all are gone when the test is over."""
    workers: list[VitrineCommand] = []

    def start(*arguments: str) -> VitrineCommand:
        name = f"stream-{len(workers)}"
        worker = VitrineCommand(
            name,
            ["stream", "--instance", name, *arguments],
            deployment,
            lambda command: command.has_logged("streaming:"),
        )
        workers.append(worker)
        worker.start_again()
        return worker

    yield start
    for worker in workers:
        worker.kill()


def wait_for(condition: Callable[[], object], seconds: float = 30.0, what: str = "the condition") -> None:
    """Return as soon as ``condition()`` is true.

    Raises:
        AssertionError: it did not become true in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true within {seconds:.0f} s")
        time.sleep(0.01)
