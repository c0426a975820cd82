"""A program that runs beside us: started, watched, ended, started again."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.local.process import ChildProcess


class Daemon(ABC):
    """A program with a folder of its own and a log.

    A context manager that stops it. ``stop`` means that it shall not run, ``kill`` is a crash: a supervisor starts a
    killed one again and leaves a stopped one alone. After either, ``start_again`` takes up the same data.

    Args:
        name: names its log file and its pid file.
        data_dir: its own files; what a former run left there is taken up.
        log_dir: where ``<name>.log`` goes.
    """

    ready_within_seconds: float = 30
    stops_within_seconds: float = 15

    def __init__(self, name: str, data_dir: Path, log_dir: Path) -> None:
        self.name = name
        self.data_dir = data_dir.absolute()
        self.log_dir = log_dir.absolute()
        self.is_wanted = False
        self._process: ChildProcess | None = None
        self._starting = threading.RLock()

    def start_again(self) -> None:
        """Start it and return once it is ready. Does nothing while it runs; waits while another thread starts it.

        Raises:
            UserError: it cannot be started; the message says why and names its log file.
        """
        with self._starting:
            if not self.is_running:
                self.is_wanted = True
                self.data_dir.mkdir(parents=True, exist_ok=True)
                self._start()

    def stop(self) -> None:
        """End it in order (SIGTERM, then SIGKILL after a while). Does nothing when it does not run."""
        self.is_wanted = False
        if self._process is not None:
            self._process.stop(self.stops_within_seconds)

    def kill(self) -> None:
        """End it at once with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()

    @property
    def pid(self) -> int:
        if self._process is None:
            raise RuntimeError(f"{self.name} has no process before it is started")
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.exit_code is None

    @property
    def log_path(self) -> Path:
        return self.log_dir / f"{self.name}.log"

    def death_notice(self) -> str:
        """How it ended; with the end of its log where that may tell why."""
        if self._process is None:
            return f"{self.name} was never started"
        code = self._process.exit_code
        if code is not None and code < 0:
            return f"{self.name} (process {self.pid}) was killed by signal {-code}; its log is {self.log_path}"
        ending = self._process.log_tail()
        return f"{self.name} ended with exit code {code}; its log is {self.log_path}, which ends:\n{ending}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self) -> None:
        self._process = ChildProcess(
            self.name, self._command(), self.log_dir, self.data_dir / f"{self.name}.pid", self._environment()
        )
        try:
            self._process.wait_until_ready(self._is_ready, self.ready_within_seconds)
        except BaseException:
            self._process.kill()
            raise

    def _environment(self) -> Mapping[str, str]:
        """Variables that it gets besides our own."""
        return {}

    @abstractmethod
    def _command(self) -> list[str]:
        """Program and arguments; may prepare what they need."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether it does its work by now; asked many times a second, must not raise while it is not up."""
