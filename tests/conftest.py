"""Real servers for the tests, one of each per run, on free ports and with their data in temporary folders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis

from infra.local.redis import RedisServer


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
