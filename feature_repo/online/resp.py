"""Redis' protocol: arguments and commands.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec
"""

from __future__ import annotations

BULK_HEADERS = [b"$%d\r\n" % size for size in range(1 << 14)]
"""The heads of arguments by their sizes."""
_ARRAY_HEADERS = [b"*%d\r\n" % size for size in range(1 << 12)]


def bulk(data: bytes) -> bytes:
    """One argument."""
    size = len(data)
    return (BULK_HEADERS[size] if size < len(BULK_HEADERS) else b"$%d\r\n" % size) + data + b"\r\n"


def array_header(arguments: int) -> bytes:
    """The head of a command of so many arguments."""
    return _ARRAY_HEADERS[arguments] if arguments < len(_ARRAY_HEADERS) else b"*%d\r\n" % arguments


def script_call(digest: bytes) -> bytes:
    """A call of a script of one key, between the head of the command and the key."""
    return bulk(b"EVALSHA") + bulk(digest) + bulk(b"1")


def command(*arguments: bytes) -> bytes:
    """A whole command."""
    return array_header(len(arguments)) + b"".join(map(bulk, arguments))
