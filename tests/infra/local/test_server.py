"""A server that loses the race for its port takes another one."""

from __future__ import annotations

import socket
import sys
from pathlib import Path

import pytest

from infra.local import server as server_module
from infra.local.ports import HOST, free_port
from infra.local.server import Server

LISTEN = "import socket, sys, signal; s = socket.create_server(('127.0.0.1', int(sys.argv[1]))); signal.pause()"


class Listener(Server):
    server_name = "listener"

    def _command(self) -> list[str]:
        return [sys.executable, "-S", "-c", LISTEN, str(self.port)]

    def _is_ready(self) -> bool:
        return self._listens()


def test_a_port_that_was_free_a_moment_ago_is_given_up_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server((HOST, free_port())) as stranger:
        taken, free = stranger.getsockname()[1], free_port()
        suggestions = iter([taken, free])
        monkeypatch.setattr(server_module, "free_port", lambda: next(suggestions))
        with Listener.start(tmp_path / "data", tmp_path / "logs") as listener:
            assert listener.port == free
