"""One connection to Redis for many small commands at once: sent in one go, read in one go, and read later if so wished.

The connection is redis-py's. Its pipeline would do the rest, but packs each command whatever it has in common with the
others, and waits for the replies to what it has sent: reading windows would take three times the CPU.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import redis
from redis._parsers.hiredis import NOT_ENOUGH_DATA
from redis.connection import DefaultParser
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
    TryAgainError,
)

from feature_repo.online.resp import Keyed, keyed

_Parser: Any = DefaultParser  # that of hiredis, untyped
_RECEIVE_BYTES = 1 << 18
_TIMEOUT_SECONDS = 30.0
_CONNECT_SECONDS = 5.0
# What a server says that cannot serve a key now: it is a replica, or the key is another's (MOVED) or between two.
_NOT_HERE_NOW = (AskError, ClusterDownError, ReadOnlyError, TryAgainError)


class Pending:
    """Commands that were sent; ``Pipe.read`` gives their replies."""

    __slots__ = ("count", "replies")

    def __init__(self, count: int) -> None:
        self.count = count
        self.replies: list[Any] | None = None


class Pipe(ABC):
    """Sends packed commands and reads their replies, which may wait while others are sent and read.

    Commands to one server are carried out in the order in which they were sent; those to different masters of a cluster
    in any. Whatever has answered is in its server's memory, ahead of all that is sent from then on.

    Raises:
        redis.exceptions.ConnectionError: from every method once a connection has failed or a key has moved to another
            server; make a new pipe then, and trust nothing that was remembered of the store, for a restarted Redis may
            have lost its last moments.
    """

    is_cluster: bool
    """Whether keys are spread over several masters, which lose their last moments each for itself."""

    @abstractmethod
    def send(self, batch: Sequence[Keyed]) -> Any:
        """Send commands without waiting; ``read`` takes what this returns."""

    @abstractmethod
    def read(self, pending: Any) -> list[Any]:
        """The replies to what was sent, in its order; errors that Redis answers with are among them, as values."""

    @abstractmethod
    def load_script(self, source: str) -> bytes:
        """Make a Lua script known, on every master; returns the digest to call it by."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connections."""

    def ask(self, batch: Sequence[Keyed]) -> list[Any]:
        """Send commands and read their replies.

        Raises:
            redis.exceptions.ResponseError: Redis refused one of them.
        """
        answers = self.read(self.send(batch))
        for answer in answers:
            raise_error(answer)
        return answers

    def call(self, *arguments: bytes) -> Any:
        """One command, whose key is its first argument, and its reply."""
        return self.ask([keyed(*arguments)])[0]


class _Replies(_Parser):
    """redis-py's parser of replies, which here gives many at once, errors among them.

    One by one each costs 0.9 us of CPU instead of 0.2: 5 to 8 % of a worker that has a backlog.
    """

    expected = 0

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        if not self.expected:
            return super().read_response(*args, **kwargs)  # to a connection's own commands, such as AUTH
        more = self._reader.gets
        replies: list[Any] = []
        while len(replies) < self.expected:
            reply = more()
            if reply is NOT_ENOUGH_DATA:
                self.read_from_socket()
            else:
                replies.append(reply)
        self.expected = 0
        return replies


class RedisPipe(Pipe):
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
            socket_read_size=_RECEIVE_BYTES,
            decode_responses=False,
            parser_class=self._new_parser,
        )
        self._connection: Any = self._pool.get_connection()
        self._is_lost = False
        self._pending: deque[Pending] = deque()

    def load_script(self, source: str) -> bytes:
        return bytes(self.call(b"SCRIPT", b"LOAD", source.encode()))

    def send(self, batch: Sequence[Keyed]) -> Pending:
        pending = Pending(len(batch))
        if batch:
            self._pending.append(pending)
            with self._while_connected():
                self._connection.send_packed_command([b"".join([packed for _, packed in batch])])
        else:
            pending.replies = []
        return pending

    def read(self, pending: Pending) -> list[Any]:
        while pending.replies is None:
            with self._while_connected():
                oldest = self._pending.popleft()
                self._parser.expected = oldest.count
                oldest.replies = self._connection.read_response()
        return pending.replies

    def _new_parser(self, socket_read_size: int) -> _Replies:
        self._parser = _Replies(socket_read_size)
        return self._parser

    @contextmanager
    def _while_connected(self) -> Iterator[None]:
        """Once lost, always lost: redis-py would connect anew, to a server that may have forgotten something."""
        if self._is_lost:
            raise ConnectionError("the connection to Redis was lost before")
        try:
            yield
        except (ConnectionError, TimeoutError) as error:
            self._is_lost = True
            raise ConnectionError(f"Redis connection lost: {error}") from error

    def close(self) -> None:
        self._pool.disconnect()


def raise_error(answer: Any) -> None:
    """Raise if the reply is an error."""
    if isinstance(answer, _NOT_HERE_NOW):
        raise ConnectionError(f"{answer.status_code} {answer}") from answer  # come back later, with a new connection
    if isinstance(answer, RedisError):
        raise answer
