"""Processes of one kind: who dies is started again, who cannot start ends all, and all end with their starter."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil


@contextmanager
def running(code: str) -> Iterator[subprocess.Popen[str]]:
    program = f"from infra.base.worker_processes import keep_running\n{code}"
    command = [sys.executable, "-u", "-c", program]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as starter:
        yield starter
        children = psutil.Process(starter.pid).children(recursive=True)
        starter.terminate()
        assert starter.wait(30) == 0
        assert psutil.wait_procs(children, 10)[1] == []


def test_one_that_ends_is_started_again_and_the_others_are_left_alone() -> None:
    with running("import time; keep_running(time.sleep, {'sleeper': (300,), 'short': (0,)})") as starter:
        assert starter.stdout is not None
        assert [starter.stdout.readline() for _ in range(2)] == ["short ended with 0; starting it again\n"] * 2


def test_one_that_crashes_is_started_again() -> None:
    with running("import os; keep_running(os.abort, {'odd': ()})") as starter:
        assert starter.stdout is not None
        assert [starter.stdout.readline() for _ in range(2)] == ["odd ended with -6; starting it again\n"] * 2


def test_one_that_cannot_start_ends_all_with_its_reason() -> None:
    program = (
        "from tests.infra.test_worker_processes import sleep_or_refuse\n"
        "from infra.base.worker_processes import keep_running\n"
        "from infra.base.errors import UserError\n"
        "try: keep_running(sleep_or_refuse, {'sleeper': ('',), 'odd': ('somewhere',)})\n"
        "except UserError as error: print(error)"
    )
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert ended.stdout == "odd cannot start, for the reason above\n"
    assert ended.stderr.startswith("vitrine: VITRINE_REDIS_URL is 'somewhere'; expected redis://")


def sleep_or_refuse(url: str) -> None:
    import time

    from infra.base.redis_url import RedisUrl

    if url:
        RedisUrl.parse(url)
    time.sleep(300)


def test_one_that_did_start_and_then_lacks_something_is_started_until_it_is_there(tmp_path) -> None:
    work = "from tests.infra.test_worker_processes import crash_and_refuse"
    with running(f"{work}; keep_running(crash_and_refuse, {{'odd': ({str(tmp_path)!r},)}})") as starter:
        assert starter.stdout is not None
        assert [starter.stdout.readline() for _ in range(3)] == [
            "odd ended with -6; starting it again\n",
            *["odd ended with 78; starting it again\n"] * 2,
        ]


def crash_and_refuse(folder: str) -> None:
    import os
    from pathlib import Path

    from infra.base.errors import UserError

    if (Path(folder) / "crashed").exists():
        raise UserError("Kafka does not answer")
    (Path(folder) / "crashed").touch()
    os.abort()
