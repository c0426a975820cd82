"""Hosts and ports as people write them: ``host:port``, ``[::1]:port``."""

from __future__ import annotations

import ipaddress
import re

Address = tuple[str, int]
"""Host, an IPv6 address without brackets, and port of one server."""

_ADDRESS = re.compile(r"(?:\[([^\s\[\]]+)\]|([^\s:/\[\]@]+))(?::(\d{1,5}))?")


def split_address(text: str, default_port: int | None = None) -> Address:
    """Take an address apart.

    Raises:
        ValueError: it is none, or has no port and there is no default.
    """
    found = _ADDRESS.fullmatch(text)
    port = int(found[3]) if found and found[3] else default_port
    if found is None or port is None or not 1 <= port <= 65_535:
        raise ValueError(f"{text!r} is no address")
    if found[1]:
        try:
            ipaddress.IPv6Address(found[1])
        except ValueError:
            raise ValueError(f"{text!r} is no address") from None
    return found[1] or found[2], port


def checked_host(text: str) -> str:
    """A host by itself, an IPv6 address with brackets or without; brackets are taken off.

    Raises:
        ValueError: it is none, or has a port.
    """
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    return split_address(join_address(bare, 1))[0]


def join_address(host: str, port: int) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
