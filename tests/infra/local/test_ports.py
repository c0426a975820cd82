"""Ports: free ones, taken ones, and whose they are."""

from __future__ import annotations

import os
import socket
import subprocess

from infra.local.ports import HOST, free_port, is_free, listens


def test_a_free_port_is_outside_the_range_of_outgoing_connections() -> None:
    with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
        first, last = map(int, file.read().split())
    for _ in range(20):
        port = free_port()
        assert is_free(port)
        assert not first <= port <= last


def test_a_listener_takes_its_port_and_is_known_by_its_process() -> None:
    with socket.create_server((HOST, 0)) as listener:
        port = listener.getsockname()[1]
        assert not is_free(port)
        assert listens(os.getpid(), port)
        with subprocess.Popen(["sleep", "60"]) as stranger:
            assert not listens(stranger.pid, port)
            stranger.kill()
    assert is_free(port)
