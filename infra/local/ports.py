"""Ports for local servers."""

from __future__ import annotations

import os
import random
import socket
from pathlib import Path

import psutil

from infra.base.errors import UserError

HOST = "127.0.0.1"
_ATTEMPTS = 200


def free_port() -> int:
    """A port that nothing uses at this moment, outside the range from which the kernel numbers outgoing connections.

    A port of that range would do until its server is restarted: while it is away, a client that keeps trying to connect
    can be given that very port as its own, be connected with itself, and lock the server out.
    """
    first_ephemeral = _first_ephemeral_port()
    for _ in range(_ATTEMPTS):
        port = random.SystemRandom().randrange(min(20_000, first_ephemeral - 5_000), first_ephemeral)
        if is_free(port):
            return port
    raise UserError(f"no free TCP port found on {HOST} in {_ATTEMPTS} tries; close some servers and try again")


def is_free(port: int) -> bool:
    """Whether a server could listen on ``port`` of this machine now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # connections that linger from before do not count
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def listens(pid: int, port: int) -> bool:
    """Whether process ``pid`` or a worker of it, not some stranger, accepts connections on ``port``."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
        connections = [connection for member in family for connection in member.net_connections(kind="tcp")]
    except psutil.Error:
        return False
    return any(c.status == psutil.CONN_LISTEN and c.laddr.port == port for c in connections)


def _first_ephemeral_port() -> int:
    try:
        return int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    except (OSError, ValueError):
        return 32_768 if os.name == "posix" else 49_152
