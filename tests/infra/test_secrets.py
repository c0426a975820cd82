"""A password given in VITRINE_REDIS_URL is in nothing that Vitrine's commands print or log."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from infra.local.ports import free_port
from infra.local.process import wait_until
from infra.local.redis import RedisServer
from tests.feature_repo.files.shop_files import Shop

SECRET = "s3cret%23"  # as in a URL
SHOWN = "redis://ann:***@"


def environment(folder: Path, url: str) -> dict[str, str]:
    """Everything outside, so that no command starts or finds a service by itself."""
    nowhere = f"127.0.0.1:{free_port()}"
    return {
        **os.environ,
        "VITRINE_VAR": str(folder),
        "VITRINE_REDIS_URL": url,
        "VITRINE_KAFKA_BOOTSTRAP_SERVERS": nowhere,
        "VITRINE_TF_SERVING_ADDRESS": nowhere,
        "VITRINE_GATEWAY_ADDRESS": nowhere,
    }


def said(environ: dict[str, str], *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli", *arguments], env=environ, capture_output=True, text=True, timeout=120
    )
    return done.stdout + done.stderr


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """A var folder with the tables and the features of a small shop."""
    shop = Shop(tmp_path)
    shop.ingest()
    features = said(environment(tmp_path, "redis://shop"), "features", "--as-of", "2020-09-21")
    assert "article_sales" in features
    return tmp_path


@pytest.fixture
def locked_redis(redis_server: RedisServer, redis_client: redis.Redis) -> Iterator[str]:
    """A Redis that knows no ``ann`` with this password."""
    redis_client.acl_setuser("ann", enabled=True, reset=True, passwords=["+another"])
    yield redis_server.address
    redis_client.acl_deluser("ann")


def test_errors_name_the_place_without_the_password(tables: Path, locked_redis: str) -> None:
    nowhere, load = f"127.0.0.1:{free_port()}", ("materialize", "--as-of", "2020-09-21")
    for address, command in ((nowhere, load), (locked_redis, load), (nowhere, ("stream", "--only-bootstrap"))):
        answer = said(environment(tables, f"redis://ann:{SECRET}@{address}/0"), *command)
        assert "Traceback" not in answer
        assert f"{SHOWN}{address}/0" in answer
        assert "s3cret" not in answer
    malformed = said(environment(tables, f"redis://ann:{SECRET}@shop:port/0"), "stream", "status")
    assert f"VITRINE_REDIS_URL is '{SHOWN}shop:port/0'" in malformed


def test_a_stack_shows_and_logs_addresses_without_the_password(tmp_path: Path, redis_server: RedisServer) -> None:
    environ = environment(tmp_path, f"redis://ann:{SECRET}@{redis_server.address}/0")
    with subprocess.Popen(
        [sys.executable, "-m", "infra.cli", "stack", "start"], env=environ, stdout=subprocess.PIPE, text=True
    ) as stack:
        try:
            wait_until((tmp_path / "run" / "stack.json").exists, 60, "the stack to say that it runs")
            status = said(environ, "stack", "status")
        finally:
            stack.terminate()
            greeting = stack.communicate(timeout=60)[0]
    for text in (status, greeting):
        assert f"{SHOWN}{redis_server.address}/0" in text
        assert "s3cret" not in text
    for path in tmp_path.rglob("*.log"):
        with contextlib.suppress(UnicodeDecodeError):
            assert "s3cret" not in path.read_text()
