"""What every local server has in common: a folder, a port, a log, and ways to start, end and start again."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from infra.errors import UserError
from infra.local.ports import HOST, free_port, is_free, listens
from infra.local.process import ChildProcess, wait_until

_PORT_ATTEMPTS = 5
_PORT_WAIT_SECONDS = 5


class Service(ABC):
    """A server on this machine.

    ``start`` gives one that is ready; it is a context manager that stops it. After ``stop`` or ``kill`` the same object
    can ``start_again`` on the same port and data.

    Args:
        data_dir: its own files; what a former run left there is taken up.
        log_dir: where ``<name>.log`` goes.
        port: the port to use; None takes a free one.
    """

    name: str
    ready_within_seconds: float = 30
    stops_within_seconds: float = 15

    def __init__(self, data_dir: Path, log_dir: Path, port: int | None = None) -> None:
        self.data_dir = data_dir.absolute()
        self.log_dir = log_dir.absolute()
        self._port = port
        self._process: ChildProcess | None = None

    @classmethod
    def start(cls, data_dir: Path, log_dir: Path, port: int | None = None) -> Self:
        """Start the server and return once it answers.

        Raises:
            UserError: it cannot be started; the message says why and names its log file.
        """
        service = cls(data_dir, log_dir, port)
        service.start_again()
        return service

    def start_again(self) -> None:
        """Start it after ``stop``, ``kill`` or its own death: same data, same port. Does nothing while it runs."""
        if self.is_running:
            return
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self._prepare()
        if self._port is None:
            self._launch_on_a_free_port()
        else:
            self._claim(self._port)
            self._launch()

    def stop(self) -> None:
        """End it in order (SIGTERM, then SIGKILL after a while). Does nothing when it does not run."""
        if self._process is not None:
            self._process.stop(self.stops_within_seconds)

    def kill(self) -> None:
        """End it at once with SIGKILL, as a crash would."""
        if self._process is not None:
            self._process.kill()

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError(f"{self.name} has no port before it is started")
        return self._port

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self.port}"

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
        """Why it does not run, with the end of its log."""
        if self._process is None:
            return f"{self.name} was never started"
        code = self._process.exit_code
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with exit code {code}"
        return f"{self.name} {how}; its log is {self.log_path}, which ends:\n{self._process.log_tail()}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        self._process = ChildProcess(
            self.name, self._command(), self.log_dir, self.data_dir / f"{self.name}.pid", self._environment()
        )
        try:
            self._process.wait_until_ready(self._is_ready, self.ready_within_seconds)
        except BaseException:
            self._process.kill()
            raise

    def _launch_on_a_free_port(self) -> None:
        for attempts_left in reversed(range(_PORT_ATTEMPTS)):
            self._port = free_port()
            try:
                self._launch()
                return
            except UserError:
                # Someone may have taken the port between our look and the server's bind; then another one will do.
                lost_the_race = not is_free(self._port)
                self._port = None
                if not lost_the_race or not attempts_left:
                    raise

    def _claim(self, port: int) -> None:
        """See that ``port`` can be had: a port of our own may linger a moment, a stranger's will not go away."""
        if is_free(port):
            return
        if self._process is not None:  # it was ours before
            wait_until(lambda: is_free(port), _PORT_WAIT_SECONDS, f"port {port} of {self.name} to be free again")
            return
        raise UserError(f"{self.name} cannot use port {port} of {HOST}: another server listens there; choose another")

    def _listens(self) -> bool:
        return self._process is not None and listens(self._process.pid, self.port)

    def _prepare(self) -> None:  # noqa: B027 - most services need none
        """Make ready what the command needs; runs before every start."""

    def _environment(self) -> Mapping[str, str]:
        return {}

    @abstractmethod
    def _command(self) -> list[str]:
        """Program and arguments."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Whether it answers by now; called many times a second, must not raise while the server is not up."""
