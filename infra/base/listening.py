"""Ports to listen on: what cannot be had is told as what a user can mend."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from infra.base.addresses import join_address
from infra.base.errors import UserError


@contextmanager
def told_as_user_error(what: str, host: str, port: int, option: str) -> Iterator[None]:
    """Listen in this block.

    Raises:
        UserError: the system refuses the port or the host.
    """
    try:
        yield
    except OSError as error:
        address = join_address(host, port)
        raise UserError(f"{what} on {address}: {error.strerror}; choose another with {option}") from None


def check_nobody_listens(what: str, host: str, port: int, option: str) -> None:
    """See that a port is free, of those too who would share it.

    Raises:
        UserError: it is not, or the host is not this machine's.
    """
    with (
        told_as_user_error(what, host, port, option),
        socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET),
    ):
        pass
