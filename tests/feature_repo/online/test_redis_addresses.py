"""Wherever Vitrine reaches its Redis, Feast's own commands reach it by the same URL."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
import redis
from click.testing import CliRunner
from feast.cli.cli import cli

from feature_repo.batch.pipeline import build_offline_tables
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.feast_store import VitrineRedisOnlineStore, VitrineRedisOnlineStoreConfig
from infra.base.redis_url import RedisUrl
from infra.base.settings import CHECKOUT, Settings
from infra.local.redis import RedisServer
from tests.conftest import OnlineStore
from tests.feature_repo.files.shop_files import Shop
from tests.infra.test_redis_url import PASSWORDS


def feast_is_let_in(url: str) -> bool:
    """Whether Feast's store, by both of its clients, and our own pipe are."""
    config = VitrineRedisOnlineStoreConfig(redis_url=url)  # type: ignore[arg-type]
    assert url.split("@")[0] not in repr(config)
    feast = VitrineRedisOnlineStore()

    async def ping() -> bool:
        client = await feast._get_client_async(config)
        try:
            return bool(await client.ping())
        finally:
            await client.aclose()

    with contextlib.closing(open_pipe(url)) as pipe, feast._get_client(config) as client:
        assert pipe.is_cluster == RedisUrl.parse(url).is_cluster
        return bool(client.ping()) and asyncio.run(ping())


@pytest.fixture
def ann(redis_client: redis.Redis) -> Iterator[redis.Redis]:
    """Redis, in which a user ``ann`` gets one password after the other."""
    yield redis_client
    redis_client.acl_deluser("ann")


@pytest.mark.parametrize("password", PASSWORDS)
def test_any_password_opens_the_store(ann: redis.Redis, redis_server: RedisServer, password: str) -> None:
    ann.acl_setuser("ann", enabled=True, reset=True, passwords=[f"+{password}"], commands=["+@all"], keys=["*"])
    ann.execute_command("ACL", "SETUSER", "ann", "&*")
    assert feast_is_let_in(f"redis://ann:{quote(password, safe='')}@{redis_server.address}/1")


def test_a_cluster_opens_by_its_password(store: OnlineStore) -> None:
    assert feast_is_let_in(store.url)


def test_an_ipv6_address_opens_the_store(redis_client: redis.Redis, redis_server: RedisServer) -> None:
    if not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    redis_client.config_set("bind", "127.0.0.1 ::1")
    assert feast_is_let_in(f"redis://[::1]:{redis_server.port}/0")


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate of 127.0.0.1 and its key, in one file."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make a certificate with")
    key, file = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", file],
        check=True, capture_output=True,
    )  # fmt: skip
    file.write_bytes(file.read_bytes() + key.read_bytes())
    return file


@pytest.fixture
def tls_port(certificate: Path, redis_server: RedisServer) -> Iterator[int]:
    """A port that speaks TLS before Redis."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    loop, started = asyncio.new_event_loop(), threading.Event()
    ports: list[int] = []

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65_536):
                target.write(data)
                await target.drain()
        target.close()

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", redis_server.port)
        await asyncio.gather(copy(reader, inner_writer), copy(inner_reader, writer))

    async def serve() -> None:
        server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context)
        ports.append(server.sockets[0].getsockname()[1])
        started.set()

    thread = threading.Thread(target=lambda: (loop.run_until_complete(serve()), loop.run_forever()), daemon=True)
    thread.start()
    assert started.wait(10)
    yield ports[0]
    loop.call_soon_threadsafe(loop.stop)
    thread.join(10)


def test_tls_options_open_the_store(redis_client: redis.Redis, tls_port: int, certificate: Path) -> None:
    assert feast_is_let_in(f"rediss://127.0.0.1:{tls_port}/0?ssl_ca_certs={certificate}")
    assert feast_is_let_in(f"rediss://127.0.0.1:{tls_port}/0?ssl_cert_reqs=none&ssl_check_hostname=false")
    with pytest.raises(redis.ConnectionError):
        feast_is_let_in(f"rediss://127.0.0.1:{tls_port}/0")  # a certificate that nobody vouches for


def test_feasts_own_commands_log_in(
    ann: redis.Redis, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    password = "12e34,#true=@:/"
    ann.acl_setuser("ann", enabled=True, reset=True, passwords=[f"+{password}"], commands=["+@all"], keys=["*"])
    shop = Shop(tmp_path)
    settings = Settings(tmp_path, redis_url=f"redis://ann:{quote(password, safe='')}@{redis_server.address}/0")
    shop.ingest()
    build_offline_tables(settings, date(2020, 9, 21))
    for variable, value in settings.to_environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(CHECKOUT)
    monkeypatch.delitem(
        sys.modules, "feature_repo.definitions", raising=False
    )  # it reads the environment when it is imported
    said = ""
    for arguments in (["apply"], ["materialize", "2020-09-01T00:00:00", "2020-09-21T00:00:00"], ["configuration"]):
        done = CliRunner().invoke(cli, ["-c", str(CHECKOUT / "feature_repo"), *arguments])
        assert done.exit_code == 0, done.output
        said += done.output
    rows: Any = ann.dbsize()
    assert rows > 0
    assert password not in said
    assert quote(password, safe="") not in said
