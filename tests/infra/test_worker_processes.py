"""Processes of one kind: one that ends is started again, and all end with who started them."""

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


def test_what_a_user_can_mend_is_one_line() -> None:
    work = "from infra.base.redis_url import RedisUrl; keep_running(RedisUrl.parse, {'odd': ('somewhere',)})"
    with running(work) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "odd ended with 1; starting it again\n"
        assert starter.stderr is not None
        assert starter.stderr.readline().startswith("vitrine: VITRINE_REDIS_URL is 'somewhere'; expected redis://")
