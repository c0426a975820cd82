"""A child process: its log, its readiness, its end, and what a crash of its starter leaves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from infra.base.errors import UserError
from infra.base.process_identity import process_identity
from infra.local.process import ChildProcess, clear_leftover, wait_until

SLEEPS = ["sleep", "300"]


def start(folder: Path, command: list[str], name: str = "thing") -> ChildProcess:
    return ChildProcess(name, command, folder / "logs", folder / f"{name}.pid")


def python(code: str) -> list[str]:
    return [sys.executable, "-u", "-c", code]


def is_gone(pid: int) -> bool:
    return process_identity(pid) is None


def test_a_command_that_ends_too_early_is_shown_with_its_log_and_its_last_words(tmp_path: Path) -> None:
    child = start(tmp_path, python("print('starting'); raise SystemExit('no disk left')"))
    with pytest.raises(UserError, match="exit code 1 before it was ready") as error:
        child.wait_until_ready(lambda: False, 10)
    assert str(tmp_path / "logs" / "thing.log") in str(error.value)
    assert "no disk left" in str(error.value)


def test_a_command_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no-such-program cannot be started"):
        start(tmp_path, ["no-such-program"]).wait_until_ready(lambda: False, 10)


def test_one_that_is_not_ready_in_time_is_ended_and_its_log_is_named(tmp_path: Path) -> None:
    child = start(tmp_path, SLEEPS)
    with pytest.raises(UserError, match=r"not ready within 0 s.*thing\.log"):
        child.wait_until_ready(lambda: False, 0.1)
    assert is_gone(child.pid)


def test_a_command_that_shall_end_by_itself_is_waited_for_and_its_failure_is_shown(tmp_path: Path) -> None:
    start(tmp_path, ["true"]).wait_until_done(10)
    with pytest.raises(UserError, match=r"failed with exit code 1.*thing\.log") as error:
        start(tmp_path, python("raise SystemExit('cannot format')")).wait_until_done(10)
    assert "cannot format" in str(error.value)
    with pytest.raises(UserError, match="did not end within"):
        start(tmp_path, SLEEPS).wait_until_done(0.1)


def test_only_the_words_of_this_run_are_shown(tmp_path: Path) -> None:
    for word in ("first", "second"):
        child = start(tmp_path, python(f"print('{word}')"))
        with pytest.raises(UserError) as error:
            child.wait_until_ready(lambda: False, 10)
        child.kill()
    assert "second" in str(error.value)
    assert "first" not in str(error.value)


def test_stop_asks_first_and_kills_one_that_does_not_listen(tmp_path: Path) -> None:
    polite = start(
        tmp_path, python("import signal; signal.signal(15, lambda *_: exit(7)); print('up'); signal.pause()")
    )
    polite.wait_until_ready(lambda: "up" in polite.logged(), 10)
    polite.stop()
    assert polite.exit_code == 7

    deaf = start(tmp_path, python("import signal; signal.signal(15, signal.SIG_IGN); print('up'); signal.pause()"))
    deaf.wait_until_ready(lambda: "up" in deaf.logged(), 10)
    deaf.stop(grace_seconds=0.1)
    assert deaf.exit_code == -signal.SIGKILL
    assert not (tmp_path / "thing.pid").exists()


def test_a_child_started_on_a_thread_outlives_that_thread(tmp_path: Path) -> None:
    children: list[ChildProcess] = []
    thread = threading.Thread(target=lambda: children.append(start(tmp_path, python("print('up'); input()"))))
    thread.start()
    thread.join()
    child = children[0]
    # The kernel's signal for the death of the forking thread would come before the child could write anything.
    child.wait_until_ready(lambda: psutil.Process(child.pid).status() != "zombie", 10)
    sleeping = start(tmp_path, SLEEPS, "other")
    assert sleeping.exit_code is None
    sleeping.kill()
    child.kill()


def test_the_interrupt_of_the_terminal_does_not_reach_it(tmp_path: Path) -> None:
    child = start(tmp_path, SLEEPS)
    assert os.getpgid(child.pid) != os.getpgid(0)
    assert os.getsid(child.pid) == child.pid
    child.kill()


def test_when_the_starter_is_killed_outright_the_child_is_gone_too(tmp_path: Path) -> None:
    code = f"""
import signal
from pathlib import Path
from infra.local.process import ChildProcess
child = ChildProcess("thing", ["sleep", "300"], Path({str(tmp_path)!r}), Path({str(tmp_path / "thing.pid")!r}))
print(child.pid, flush=True)
signal.pause()
"""
    with subprocess.Popen(python(code), stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        pid = int(starter.stdout.readline())
        wait_until(lambda: psutil.Process(pid).name() == "sleep", 10, "it to become the command")
        starter.kill()
        starter.wait()
        wait_until(lambda: is_gone(pid), 10, "the child to go")


def test_a_child_whose_starter_is_gone_already_starts_nothing(tmp_path: Path) -> None:
    program = Path(__file__).parents[3] / "infra" / "local" / "dies_with_starter.py"
    witness = tmp_path / "started"
    someone_else = "1"
    result = subprocess.run(
        [sys.executable, "-I", "-S", str(program), someone_else, "touch", str(witness)], capture_output=True, text=True
    )
    assert result.returncode == 1
    assert "starting process is gone" in result.stderr
    assert not witness.exists()


def test_a_leftover_of_a_dead_starter_is_ended_and_a_stranger_is_not(tmp_path: Path) -> None:
    pid_file = tmp_path / "thing.pid"
    dead_starter = {"starter_pid": 2**22 + 1, "starter_identity": "of another time"}
    with subprocess.Popen(SLEEPS) as process:
        stranger = {"pid": process.pid, "identity": "another process of this number", **dead_starter}
        pid_file.write_text(json.dumps(stranger))
        clear_leftover("thing", pid_file)
        assert not is_gone(process.pid)

        leftover = {"pid": process.pid, "identity": process_identity(process.pid), **dead_starter}
        pid_file.write_text(json.dumps(leftover))
        clear_leftover("thing", pid_file)
        assert is_gone(process.pid)


def test_what_a_living_starter_runs_is_not_started_twice(tmp_path: Path) -> None:
    child = start(tmp_path, SLEEPS)
    with pytest.raises(UserError, match=f"thing already runs as process {child.pid}"):
        start(tmp_path, SLEEPS)
    assert child.exit_code is None
    child.kill()


@pytest.mark.parametrize("content", ["", "12", "{}", "[1]", '{"pid": "x"}'])
def test_a_torn_pid_file_is_nobody(tmp_path: Path, content: str) -> None:
    (tmp_path / "thing.pid").write_text(content)
    clear_leftover("thing", tmp_path / "thing.pid")


def test_identity_tells_processes_apart_and_knows_the_dead() -> None:
    with subprocess.Popen(SLEEPS) as process:
        identity = process_identity(process.pid)
        assert identity == process_identity(process.pid)
        assert identity != process_identity(os.getpid())
        process.kill()
        wait_until(lambda: is_gone(process.pid), 10, "a zombie to count as gone")
    assert is_gone(process.pid)
