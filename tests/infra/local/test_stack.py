"""The stack as a whole: side by side, supervised, alone on its folder, gone when killed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from click.testing import CliRunner

from infra.base.errors import UserError
from infra.base.process_identity import process_identity
from infra.base.settings import DEFAULT_REDIS_URL, Settings
from infra.local.commands import stack as stack_commands
from infra.local.process import wait_until
from infra.local.redis import RedisServer
from infra.local.stack import LocalStack, Ports
from infra.local.stack_file import read_stack_file

NO_KAFKA = {"VITRINE_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "VITRINE_TF_SERVING_ADDRESS": "127.0.0.1:9"}
"""An environment in which Redis is all that is left to start."""

STARTER = """
import signal, sys
from pathlib import Path
from infra.local.stack import LocalStack
from infra.base.settings import Settings
with LocalStack(Settings(var_dir=Path(sys.argv[1])), environ={}) as stack:
    print(stack.redis.pid, stack.kafka.pid, stack.redis.url, flush=True)
    signal.pause()
"""


@contextmanager
def stack_in_a_process_of_its_own(var_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, int, str]]:
    command = [sys.executable, "-u", "-c", STARTER, str(var_dir)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        try:
            assert starter.stdout is not None
            redis_pid, kafka_pid, redis_url = starter.stdout.readline().split()
            yield starter, int(redis_pid), int(kafka_pid), redis_url
        finally:
            starter.kill()


def is_gone(pid: int) -> bool:
    return process_identity(pid) is None


def test_killed_outright_it_leaves_nothing_running_and_starts_again_on_the_same_data(tmp_path: Path) -> None:
    with stack_in_a_process_of_its_own(tmp_path) as (starter, redis_pid, kafka_pid, redis_url):
        running = Settings.from_environment({"VITRINE_VAR": str(tmp_path)})
        assert running.redis_url == redis_url
        redis.Redis.from_url(redis_url).set("sold", 17)
        starter.kill()
        starter.wait()
        wait_until(lambda: is_gone(redis_pid) and is_gone(kafka_pid), 10, "Redis and Kafka to go")
        assert (tmp_path / "run" / "stack.json").exists()
        assert Settings.from_environment({"VITRINE_VAR": str(tmp_path)}).redis_url == DEFAULT_REDIS_URL

    with stack_in_a_process_of_its_own(tmp_path) as (starter, redis_pid, kafka_pid, redis_url):
        assert redis.Redis.from_url(redis_url).get("sold") == b"17"
        starter.terminate()
        assert starter.wait(30) == 128 + 15
        assert is_gone(redis_pid)
        assert is_gone(kafka_pid)
        assert not (tmp_path / "run" / "stack.json").exists()


def test_nothing_local_is_started_for_services_outside(tmp_path: Path, redis_server: RedisServer) -> None:
    environ = {"VITRINE_VAR": str(tmp_path), "VITRINE_REDIS_URL": redis_server.url, **NO_KAFKA}
    with LocalStack(Settings.from_environment(environ), environ) as stack:
        assert (stack.redis, stack.kafka, stack.model_server) == (None, None, None)
        assert stack.settings.redis_url == redis_server.url
        assert stack.settings.kafka_bootstrap_servers == NO_KAFKA["VITRINE_KAFKA_BOOTSTRAP_SERVERS"]
    assert redis_server.is_running


def test_a_service_that_dies_comes_back_with_its_data_and_it_is_said(tmp_path: Path) -> None:
    said: list[str] = []
    with LocalStack(Settings(var_dir=tmp_path), NO_KAFKA, say=said.append) as stack:
        assert stack.redis is not None
        client = redis.Redis.from_url(stack.settings.redis_url)
        client.set("sold", 17)
        old_pid = stack.redis.pid
        stack.redis.kill()
        wait_until(lambda: any("redis is up" in line for line in said), 20, "the supervisor")
        assert client.get("sold") == b"17"
        assert stack.redis.pid != old_pid
        assert f"redis (process {old_pid}) was killed by signal 9" in said[0]
        assert str(tmp_path / "logs" / "redis.log") in said[0]
        restarted = stack.redis
        assert restarted is not None
        wait_until(lambda: stack_pids(tmp_path) == [restarted.pid], 5, "stack.json to tell")


def stack_pids(var_dir: Path) -> list[int | None]:
    entry = read_stack_file(var_dir / "run")
    return [service.pid for service in entry.services] if entry is not None else []


def test_one_that_was_stopped_on_purpose_stays_down_until_it_is_wanted(tmp_path: Path) -> None:
    said: list[str] = []
    with LocalStack(Settings(var_dir=tmp_path), NO_KAFKA, say=said.append) as stack:
        assert stack.redis is not None
        stack.redis.stop()
        stack.redis.start_again()
        assert redis.Redis.from_url(stack.settings.redis_url).ping()
    assert said == []


def test_a_second_stack_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    with (
        LocalStack(Settings(var_dir=tmp_path), NO_KAFKA),
        pytest.raises(UserError, match="a local stack already runs on"),
        LocalStack(Settings(var_dir=tmp_path), NO_KAFKA),
    ):
        pass


def test_when_one_service_cannot_start_the_others_are_ended_and_the_folder_is_free_again(tmp_path: Path) -> None:
    (tmp_path / "run" / "redis").mkdir(parents=True)
    (tmp_path / "run" / "redis" / "appendonlydir").write_text("not a folder")
    with pytest.raises(UserError, match=r"redis\.log"), LocalStack(Settings(var_dir=tmp_path), {}) as stack:
        pass
    stack = LocalStack(Settings(var_dir=tmp_path), {**NO_KAFKA, "VITRINE_REDIS_URL": DEFAULT_REDIS_URL})
    with stack:
        assert stack_pids(tmp_path) == []
    pid_file = tmp_path / "run" / "kafka" / "kafka.pid"
    assert not pid_file.exists() or is_gone(json.loads(pid_file.read_text())["pid"])


def test_ports_are_read_from_the_environment_and_checked() -> None:
    assert Ports.from_environment({"VITRINE_KAFKA_PORT": "9092"}) == Ports(kafka=9092)
    with pytest.raises(UserError, match="VITRINE_REDIS_PORT holds '0x1'"):
        Ports.from_environment({"VITRINE_REDIS_PORT": "0x1"})


def test_status_shows_what_runs(tmp_path: Path) -> None:
    shell = CliRunner(env={"VITRINE_VAR": str(tmp_path)})
    assert shell.invoke(stack_commands, ["status"]).exit_code == 1
    with LocalStack(Settings(var_dir=tmp_path), NO_KAFKA) as stack:
        assert stack.redis is not None
        answer = shell.invoke(stack_commands, ["status"])
    assert answer.exit_code == 0
    assert f"process {stack.redis.pid}" in answer.output
    assert str(stack.redis.log_path) in answer.output


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"redis_url": "redis://127.0.0.1:1/0"}',
        '{"redis_url": "redis://127.0.0.1:1/0", "owner": {"pid": 1, "identity": "of another boot"}}',
    ],
)
def test_a_stack_file_without_a_living_owner_misleads_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "stack.json").write_text(content)
    assert Settings.from_environment({"VITRINE_VAR": str(tmp_path)}).redis_url == DEFAULT_REDIS_URL
