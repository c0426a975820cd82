"""The local Redis keeps what it was told through every kind of end."""

from __future__ import annotations

import socket
from pathlib import Path

import psutil
import pytest
import redis

from infra.base.errors import UserError
from infra.local.ports import HOST, free_port
from infra.local.redis import RedisServer, server_binary


def start(folder: Path, port: int | None = None) -> RedisServer:
    return RedisServer.start(folder / "data", folder / "logs", port)


def test_nothing_acknowledged_is_lost_to_a_kill(tmp_path: Path) -> None:
    with start(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        for round_number in range(5):
            server.start_again()
            for number in range(200):
                client.set("last", f"{round_number}-{number}")
            server.kill()  # in the very moment of the answer
        server.start_again()
        assert client.get("last") == b"4-199"


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_it_comes_back_on_the_same_port_with_the_same_data(tmp_path: Path, end: str) -> None:
    with start(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("sold", 17)
        address, pid = server.address, server.pid
        getattr(server, end)()
        assert not server.is_running
        assert not psutil.pid_exists(pid)
        server.start_again()
        assert server.address == address
        assert server.pid != pid
        assert client.get("sold") == b"17"


def test_another_start_on_the_same_folder_takes_the_data_up(tmp_path: Path) -> None:
    with start(tmp_path) as first:
        redis.Redis.from_url(first.url).set("sold", 17)
    with start(tmp_path) as second:
        assert redis.Redis.from_url(second.url).get("sold") == b"17"


def test_a_torn_end_of_the_append_only_file_is_cut_off(tmp_path: Path) -> None:
    with start(tmp_path) as server, redis.Redis.from_url(server.url) as client:
        client.set("whole", 1)
        client.set("torn", 1)
        server.kill()
        (appended,) = (tmp_path / "data" / "appendonlydir").glob("*.incr.aof")
        appended.write_bytes(appended.read_bytes()[:-5])
        server.start_again()
        assert client.get("whole") == b"1"
        assert client.get("torn") is None


def test_a_taken_port_is_refused_by_its_number(tmp_path: Path) -> None:
    with socket.create_server((HOST, free_port())) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(UserError, match=f"redis cannot use port {port}"):
            start(tmp_path, port)


def test_a_configured_port_is_used(tmp_path: Path) -> None:
    port = free_port()
    with start(tmp_path, port) as server:
        assert server.url == f"redis://127.0.0.1:{port}/0"


def test_when_it_cannot_start_the_error_names_its_log_and_reason(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "appendonlydir").write_text("not a folder")
    with pytest.raises(UserError, match=r"redis\.log.*") as error:
        start(tmp_path)
    assert "appendonlydir" in str(error.value) or "append only" in str(error.value).lower()


def test_a_second_server_on_the_same_data_is_refused(tmp_path: Path) -> None:
    with start(tmp_path), pytest.raises(UserError, match="redis already runs"):
        start(tmp_path)


@pytest.mark.parametrize(("answer", "is_taken"), [("v=6.2.14", False), ("v=7.0.15", True), ("v=8.1.0", True)])
def test_the_machines_own_redis_is_taken_from_version_7_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, is_taken: bool
) -> None:
    program = tmp_path / "redis-server"
    program.write_text(f"#!/bin/sh\necho 'Redis server {answer} sha=00000000:0 malloc=libc bits=64'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert (server_binary() == program) is is_taken


def test_the_fixture_gives_an_empty_redis(redis_client: redis.Redis) -> None:
    assert redis_client.dbsize() == 0
    assert redis_client.set("left", "over")


def test_and_again_an_empty_one(redis_client: redis.Redis) -> None:
    assert redis_client.dbsize() == 0
