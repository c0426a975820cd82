"""One connection to Redis for many small commands at once: packed by hand, sent in one go, read in one go.

redis-py packs a pipeline of thirty-argument commands at some 30,000 a second, which would be most of a worker's time.
It still makes the connection (URL, TLS, password, database); only what goes over it is ours. ``ClusterPipe`` does the
same for a Redis Cluster.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import hiredis
import redis
from redis.exceptions import BusyLoadingError, ConnectionError, ResponseError

from feature_repo.online.resp import bulk, command

_RECEIVE_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
# What a server says that cannot serve a key now: it starts, is a replica, or the key is another's or between two.
_NOT_HERE_NOW = ("LOADING", "MASTERDOWN", "READONLY", "CLUSTERDOWN", "MOVED", "ASK", "TRYAGAIN")

Keyed = tuple[bytes, bytes]
"""A key, packed as an argument (``bulk``), and a packed command that touches no other key."""


def keyed(*arguments: bytes) -> Keyed:
    """A command whose key is its first argument, as most commands have it."""
    return bulk(arguments[1]), command(*arguments)


class Pending:
    """Commands that were sent; ``Pipe.read`` gives their replies."""

    __slots__ = ("count", "replies")

    def __init__(self, count: int) -> None:
        self.count = count
        self.replies: list[Any] | None = None


class Pipe(Protocol):
    """Sends packed commands and reads their replies, which may wait while others are sent and read.

    Commands to one server are carried out in the order in which they were sent; those to different masters of a cluster
    in any. Whatever has answered is in its server's memory, ahead of all that is sent from then on.

    Raises:
        redis.exceptions.ConnectionError: from every method once a connection has failed or a key has moved to another
            server; make a new pipe then, and trust nothing that was remembered of the store, for a restarted Redis may
            have lost its last moments.
    """

    @property
    def is_cluster(self) -> bool:
        """Whether keys are spread over several masters, which lose their last moments each for itself."""

    def send(self, batch: Sequence[Keyed]) -> Any:
        """Send commands without waiting; ``read`` takes what this returns."""

    def read(self, pending: Any) -> list[Any]:
        """The replies to what was sent, in its order; errors that Redis answers with are among them, as values."""

    def ask(self, batch: Sequence[Keyed]) -> list[Any]:
        """Send commands and read their replies.

        Raises:
            redis.exceptions.ResponseError: Redis refused one of them.
        """

    def call(self, *arguments: bytes) -> Any:
        """One command, whose key is its first argument, and its reply."""

    def load_script(self, source: str) -> bytes:
        """Make a Lua script known, on every master; returns the digest to call it by."""

    def close(self) -> None:
        """Let go of the connections."""


class RedisPipe:
    """A ``Pipe`` to one server.

    Args:
        url: as redis-py takes it.
        timeout_seconds, connect_seconds: how long to wait for an answer, and for the connection.
    """

    is_cluster = False

    def __init__(
        self, url: str, timeout_seconds: float = _TIMEOUT_SECONDS, connect_seconds: float = _CONNECT_SECONDS
    ) -> None:
        self._pool = redis.ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=connect_seconds,
            decode_responses=False,
        )
        self._connection: Any = self._pool.get_connection()
        self._socket: Any = self._connection._sock
        self._reader = hiredis.Reader(notEnoughData=NotImplemented)
        self._pending: deque[Pending] = deque()

    def load_script(self, source: str) -> bytes:
        """Make a Lua script known; returns the digest to call it by."""
        return bytes(self.call(b"SCRIPT", b"LOAD", source.encode()))

    def send(self, batch: Sequence[Keyed]) -> Pending:
        """Send commands without waiting."""
        pending = Pending(len(batch))
        if batch:
            self._pending.append(pending)
            try:
                self._socket.sendall(b"".join([packed for _, packed in batch]))
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

    def ask(self, batch: Sequence[Keyed]) -> list[Any]:
        """Send commands and read their replies."""
        answers = self.read(self.send(batch))
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
        return self.ask([(b"", command(*arguments))])[0]

    def close(self) -> None:
        self._connection.disconnect()
        self._pool.disconnect()


def raise_error(answer: Any) -> None:
    """Raise if the reply is an error."""
    if isinstance(answer, hiredis.ReplyError):
        message = str(answer)
        if message.startswith(_NOT_HERE_NOW):
            raise BusyLoadingError(message)  # a ConnectionError: come back later, with a new connection
        raise ResponseError(message)
