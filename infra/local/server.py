"""A daemon that listens on a port of this machine."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar, Self

from infra.base.errors import UserError
from infra.local.daemon import Daemon
from infra.local.ports import HOST, free_port, is_free, listens
from infra.local.process import wait_until

_FREE_PORT_ATTEMPTS = 5
_OWN_PORT_LINGERS_SECONDS = 5


class Server(Daemon):
    """One of the stack's servers; ``Server.start`` gives one that answers, and it keeps its port for life.

    Args:
        data_dir: its own files; what a former run left there is taken up.
        log_dir: where ``<name>.log`` goes.
        port: the port to use; None takes a free one.
    """

    server_name: ClassVar[str]

    def __init__(self, data_dir: Path, log_dir: Path, port: int | None = None) -> None:
        super().__init__(self.server_name, data_dir, log_dir)
        self._port = port

    @classmethod
    def start(cls, data_dir: Path, log_dir: Path, port: int | None = None) -> Self:
        """Start the server and return once it answers.

        Raises:
            UserError: it cannot be started; the message says why and names its log file.
        """
        server = cls(data_dir, log_dir, port)
        server.start_again()
        return server

    @property
    def port(self) -> int:
        if self._port is None:
            raise RuntimeError(f"{self.name} has no port before it is started")
        return self._port

    @property
    def address(self) -> str:
        """``host:port``."""
        return f"{HOST}:{self.port}"

    def _start(self) -> None:
        if self._port is None:
            self._start_on_a_free_port()
        else:
            self._claim(self._port)
            super()._start()

    def _start_on_a_free_port(self) -> None:
        for attempts_left in reversed(range(_FREE_PORT_ATTEMPTS)):
            self._port = free_port()
            try:
                super()._start()
                return
            except UserError:
                # Someone may have taken the port between our look and the server's bind; then another one will do.
                lost_the_race = not is_free(self._port) or self._was_refused_a_port()
                self._port = None
                if not lost_the_race or not attempts_left:
                    raise

    def _was_refused_a_port(self) -> bool:
        return self._process is not None and "address already in use" in self._process.logged().lower()

    def _claim(self, port: int) -> None:
        """See that ``port`` can be had: a port of our own may linger a moment, a stranger's will not go away."""
        if is_free(port):
            return
        if self._process is not None:  # it was ours before
            what = f"port {port} to be free again for {self.name}"
            wait_until(lambda: is_free(port), _OWN_PORT_LINGERS_SECONDS, what)
            return
        raise UserError(f"{self.name} cannot use port {port} of {HOST}: another program listens there; choose another")

    def _listens(self) -> bool:
        return self._process is not None and listens(self._process.pid, self.port)
