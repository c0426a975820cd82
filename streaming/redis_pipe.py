"""One connection to Redis for many small commands at once: packed by hand, sent in one go, read in one go.

redis-py packs a pipeline of thirty-argument commands at some 30,000 a second, which would be most of a worker's time.
It still makes the connection (URL, TLS, password, database); only what goes over it is ours.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import hiredis
import redis
from redis.exceptions import BusyLoadingError, ConnectionError, ResponseError

_RECEIVE_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30
_SMALL = 4096
_BULK_HEADERS = [b"$%d\r\n" % size for size in range(_SMALL)]
_ARRAY_HEADERS = [b"*%d\r\n" % size for size in range(_SMALL)]


def bulk(data: bytes) -> bytes:
    """One argument in Redis' protocol."""
    size = len(data)
    return (_BULK_HEADERS[size] if size < _SMALL else b"$%d\r\n" % size) + data + b"\r\n"


def array_header(arguments: int) -> bytes:
    """The head of a command of so many arguments."""
    return _ARRAY_HEADERS[arguments] if arguments < _SMALL else b"*%d\r\n" % arguments


def command(*arguments: bytes) -> bytes:
    """A whole command in Redis' protocol."""
    return array_header(len(arguments)) + b"".join(map(bulk, arguments))


class Pending:
    """Commands that were sent; ``RedisPipe.read`` gives their replies."""

    __slots__ = ("count", "replies")

    def __init__(self, count: int) -> None:
        self.count = count
        self.replies: list[Any] | None = None


class RedisPipe:
    """Sends packed commands and reads their replies, which may wait while others are sent and read.

    Args:
        url: as redis-py takes it.

    Raises:
        redis.exceptions.ConnectionError: from every method once the connection has failed; make a new pipe then, and
            trust nothing that was remembered of the store, for a restarted Redis may have lost its last moments.
    """

    def __init__(self, url: str) -> None:
        self._pool = redis.ConnectionPool.from_url(
            url, protocol=2, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=5, decode_responses=False
        )
        self._connection: Any = self._pool.get_connection()
        self._socket: Any = self._connection._sock
        self._reader = hiredis.Reader(notEnoughData=NotImplemented)
        self._pending: deque[Pending] = deque()

    def load_script(self, source: str) -> bytes:
        """Make a Lua script known; returns the digest to call it by."""
        return bytes(self.call(b"SCRIPT", b"LOAD", source.encode()))

    def send(self, parts: Iterable[bytes], replies: int) -> Pending:
        """Send packed commands, or pieces of them, that will have so many replies, without waiting."""
        pending = Pending(replies)
        if replies:
            self._pending.append(pending)
            try:
                self._socket.sendall(b"".join(parts))
            except OSError as error:
                raise ConnectionError(f"Redis connection lost while writing: {error}") from error
        else:
            pending.replies = []
        return pending

    def read(self, pending: Pending) -> list[Any]:
        """The replies to what was sent; errors that Redis answers with are among them, as values."""
        while pending.replies is None:
            oldest = self._pending.popleft()
            oldest.replies = self._receive(oldest.count)
        return pending.replies

    def ask(self, parts: Iterable[bytes], replies: int) -> list[Any]:
        """Send commands and read their replies.

        Raises:
            redis.exceptions.ResponseError: Redis refused one of them.
        """
        answers = self.read(self.send(parts, replies))
        for answer in answers:
            raise_error(answer)
        return answers

    def _receive(self, replies: int) -> list[Any]:
        gets, feed, receive = self._reader.gets, self._reader.feed, self._socket.recv
        answers: list[Any] = []
        while len(answers) < replies:
            answer = gets()
            if answer is not NotImplemented:
                answers.append(answer)
                continue
            try:
                data = receive(_RECEIVE_BYTES)
            except OSError as error:
                raise ConnectionError(f"Redis connection lost while reading: {error}") from error
            if not data:
                raise ConnectionError("Redis closed the connection")
            feed(data)
        return answers

    def call(self, *arguments: bytes) -> Any:
        """One command and its reply."""
        return self.ask([command(*arguments)], 1)[0]

    def close(self) -> None:
        self._connection.disconnect()
        self._pool.disconnect()


def raise_error(answer: Any) -> None:
    """Raise if the reply is an error."""
    if isinstance(answer, hiredis.ReplyError):
        message = str(answer)
        if message.startswith(("LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN")):
            raise BusyLoadingError(message)  # a ConnectionError: come back later, with a new connection
        raise ResponseError(message)
