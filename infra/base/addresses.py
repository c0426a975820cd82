"""Hosts and ports as people write them: ``host:port``, ``[::1]:port``."""

from __future__ import annotations

import re

Address = tuple[str, int]
"""Host, an IPv6 address without brackets, and port of one server."""

_ADDRESS = re.compile(r"(?:\[([0-9a-fA-F:.%]+)\]|([^\s:/\[\]@]+))(?::(\d{1,5}))?")


def split_address(text: str, default_port: int | None = None) -> Address:
    """Take an address apart.

    Raises:
        ValueError: it is none, or has no port and there is no default.
    """
    found = _ADDRESS.fullmatch(text)
    port = int(found[3]) if found and found[3] else default_port
    if found is None or port is None or not 1 <= port <= 65_535:
        raise ValueError(f"{text!r} is no address")
    return found[1] or found[2], port


def join_address(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
