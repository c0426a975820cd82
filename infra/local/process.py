"""A child process that is looked after: log file, readiness, orderly end, and no life beyond its starter's."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from infra.base.errors import UserError
from infra.base.process_identity import process_identity

POLL_SECONDS = 0.02
LOG_LINES_IN_ERRORS = 15
LOG_BYTES_KEPT = 20 * 2**20
_DIES_WITH_STARTER = Path(__file__).with_name("dies_with_starter.py")


class ChildProcess:
    """One run of a command.

    It has its own session, so that Ctrl-C on the terminal reaches the starter alone, which then stops its children in
    order. When the starter is killed outright the kernel kills the child (see ``dies_with_starter``).

    Args:
        name: what people call it; names its log file.
        command: program and arguments.
        log_dir: stdout and stderr are appended to ``<name>.log`` there.
        pid_file: who runs and who started it, for a later start to recognise what a crash left behind.
        environment: added to this process's own variables.

    Raises:
        UserError: another living process has started this service and runs it.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        log_dir: Path,
        pid_file: Path,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self.log_path = log_dir / f"{name}.log"
        self._pid_file = pid_file
        log_dir.mkdir(parents=True, exist_ok=True)
        pid_file.parent.mkdir(parents=True, exist_ok=True)
        clear_leftover(name, pid_file)
        if self.log_path.exists() and self.log_path.stat().st_size > LOG_BYTES_KEPT:
            self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            self._log_start = log.tell()
            self._popen = _spawn(
                [sys.executable, "-I", "-S", str(_DIES_WITH_STARTER), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, **(environment or {})},
            )
        _write_pid_file(pid_file, self.pid)

    @property
    def pid(self) -> int:
        return self._popen.pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; negative for the signal that ended it."""
        return self._popen.poll()

    def wait_until_ready(self, ready: Callable[[], bool], timeout_seconds: float) -> None:
        """Poll ``ready`` until it holds.

        Raises:
            UserError: the process ended, or the time is over; it is killed then. The error shows the log's last lines.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            if self.exit_code is not None:
                raise UserError(self._told(f"{self.name} ended with exit code {self.exit_code} before it was ready"))
            if ready():
                return
            if time.monotonic() > deadline:
                self.kill()
                raise UserError(self._told(f"{self.name} was not ready within {timeout_seconds:.0f} s and was stopped"))
            time.sleep(POLL_SECONDS)

    def wait_until_done(self, timeout_seconds: float) -> None:
        """Wait for a command that ends by itself.

        Raises:
            UserError: it failed, or the time is over; it is killed then. The error shows the log's last lines.
        """
        try:
            code = self._popen.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            raise UserError(self._told(f"{self.name} did not end within {timeout_seconds:.0f} s")) from None
        finally:
            self.kill()
        if code != 0:
            raise UserError(self._told(f"{self.name} failed with exit code {code}"))

    def stop(self, grace_seconds: float = 15) -> None:
        """Ask it to end (SIGTERM) and kill it when it has not after ``grace_seconds``."""
        if self.exit_code is None:
            self._popen.send_signal(signal.SIGTERM)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._popen.wait(grace_seconds)
        self.kill()

    def kill(self) -> None:
        """End it at once (SIGKILL). Does nothing when it has ended."""
        if self.exit_code is None:
            self._popen.send_signal(signal.SIGKILL)
            self._popen.wait()
        _remove_pid_file(self._pid_file, self.pid)

    def log_tail(self) -> str:
        """The last lines that this run wrote."""
        return "\n".join(f"  | {line}" for line in self.logged().splitlines()[-LOG_LINES_IN_ERRORS:])

    def logged(self, at_most_bytes: int = 256_000) -> str:
        """What this run wrote, or the end of it."""
        with self.log_path.open("rb") as log:
            log.seek(0, os.SEEK_END)
            log.seek(max(self._log_start, log.tell() - at_most_bytes))
            return log.read().decode(errors="replace")

    def _told(self, what: str) -> str:
        return f"{what}; its log is {self.log_path}, which ends:\n{self.log_tail() or '  | (nothing)'}"


def clear_leftover(name: str, pid_file: Path) -> None:
    """End the process that ``pid_file`` names if its starter is gone; never touch one that merely has its number.

    Raises:
        UserError: the starter lives, so the service is in use.
    """
    try:
        content = json.loads(pid_file.read_text())
        pid, starter_pid = int(content["pid"]), int(content["starter_pid"])
        identity, starter_identity = content["identity"], content["starter_identity"]
    except (OSError, ValueError, TypeError, KeyError):
        return
    if identity is None or process_identity(pid) != identity:
        return
    if process_identity(starter_pid) == starter_identity:
        raise UserError(
            f"{name} already runs as process {pid} (started by process {starter_pid}) on {pid_file.parent}; "
            "stop that one first, or use another folder (VITRINE_VAR)"
        )
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: process_identity(pid) != identity, 10, f"{name}, left over as process {pid}, to end")


def wait_until(condition: Callable[[], bool], timeout_seconds: float, what: str) -> None:
    """Poll ``condition`` until it holds; ``what`` completes "waited ... for" in the error.

    Raises:
        UserError: the time is over.
    """
    deadline = time.monotonic() + timeout_seconds
    while not condition():
        if time.monotonic() > deadline:
            raise UserError(f"waited {timeout_seconds:.0f} s for {what}, in vain")
        time.sleep(POLL_SECONDS)


def _write_pid_file(path: Path, pid: int) -> None:
    content = {
        "pid": pid,
        "identity": process_identity(pid),
        "starter_pid": os.getpid(),
        "starter_identity": process_identity(os.getpid()),
    }
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content) + "\n")
    partial.replace(path)


def _remove_pid_file(path: Path, pid: int) -> None:
    with contextlib.suppress(OSError, ValueError, KeyError):
        if json.loads(path.read_text())["pid"] == pid:
            path.unlink()


class _Spawner:
    """Forks all children on one thread that lives as long as this process.

    "Parent died" (PR_SET_PDEATHSIG, prctl(2)) means that the *thread* which forked has ended; a child forked on a
    short-lived thread would be killed in the middle of its work.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._jobs: queue.SimpleQueue[tuple[Future[subprocess.Popen[bytes]], Callable[[], subprocess.Popen[bytes]]]]
        self._jobs = queue.SimpleQueue()
        threading.Thread(target=self._run, name="spawner", daemon=True).start()

    def _run(self) -> None:
        while True:
            future, job = self._jobs.get()
            try:
                future.set_result(job())
            except BaseException as error:
                future.set_exception(error)

    def spawn(self, job: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        future: Future[subprocess.Popen[bytes]] = Future()
        self._jobs.put((future, job))
        return future.result()

    @property
    def is_of_this_process(self) -> bool:
        return self._pid == os.getpid()


_spawner: _Spawner | None = None
_spawner_lock = threading.Lock()


def _spawn(command: Sequence[str], **options: object) -> subprocess.Popen[bytes]:
    global _spawner
    with _spawner_lock:
        if _spawner is None or not _spawner.is_of_this_process:  # threads do not survive a fork
            _spawner = _Spawner()
        spawner = _spawner
    return spawner.spawn(lambda: subprocess.Popen(command, **options))  # type: ignore[call-overload,no-any-return]
