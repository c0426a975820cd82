"""Which articles have changed, as the streaming worker says in a Redis Stream, and the connections to read it by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from feature_repo.contracts import ARTICLE_CHANGES_KEY, EVENT_CLOCK_KEY
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.cluster_slots import client_of_key
from feature_repo.online.redis_pipe import Pipe

_CONNECT_S = 1.0


@dataclass(frozen=True)
class Place:
    """A place in the stream: the last entry read and how many had been added up to it."""

    entry: bytes
    added: int


@dataclass(frozen=True)
class Changes:
    """What was written behind a place.

    Attributes:
        article_ids: each once, in order.
        clocks: what the event clock was, oldest first.
        place: behind them.
        trimmed: entries that are gone unread.
    """

    article_ids: list[str]
    clocks: list[bytes]
    place: Place
    trimmed: int


class ArticleChanges:
    """The stream, by a client of the server that has it, and a pipe to all: of a cluster as it is now.

    Every method raises ``redis.RedisError`` where Redis does not answer; ``disconnect`` then, and it connects anew.
    """

    def __init__(self, redis_url: str, timeout_s: float) -> None:
        self._redis_url, self._timeout_s = redis_url, timeout_s
        self._connections: tuple[redis.Redis, Pipe] | None = None

    @property
    def pipe(self) -> Pipe:
        """To read rows by."""
        return self._connect()[1]

    def end(self) -> Place:
        """The end of the stream."""
        try:
            info: Any = self._stream.xinfo_stream(ARTICLE_CHANGES_KEY)
        except redis.ResponseError as error:
            if "no such key" not in str(error):  # such as: another master of the cluster has it now
                raise
            return Place(b"0-0", 0)  # nobody has written to it yet
        return Place(info["last-generated-id"], int(info["entries-added"]))

    def wait(self, place: Place, milliseconds: int) -> bool:
        """Whether something is written behind ``place``, waiting for it so long."""
        return bool(self._stream.xread({ARTICLE_CHANGES_KEY: place.entry}, count=1, block=milliseconds))

    def since(self, place: Place, entries: int) -> Changes | None:
        """What was written behind ``place``, at most so many entries; None where the stream is gone, or elsewhere."""
        # Entries and their count in one transaction: a difference is then a gap for certain, no race with trimming.
        pipeline = self._stream.pipeline(transaction=True)
        pipeline.xinfo_stream(ARTICLE_CHANGES_KEY)
        pipeline.xrange(ARTICLE_CHANGES_KEY, min=b"(" + place.entry, count=entries)
        info, found = pipeline.execute(raise_on_error=False)
        if isinstance(info, Exception) or isinstance(found, Exception):
            return None
        unread = int(info["entries-added"]) - place.added
        article_ids = {name for _, fields in found for name in fields.get(b"articles", b"").decode().split(",")}
        return Changes(
            sorted(article_ids),
            [fields[b"clock"] for _, fields in found if b"clock" in fields],
            Place(found[-1][0], place.added + len(found)) if found else place,
            0 if len(found) == min(unread, entries) else unread - len(found),
        )

    def event_clock(self) -> bytes | None:
        """The watermark, as the worker publishes it."""
        text: bytes | None = self.pipe.call(b"GET", EVENT_CLOCK_KEY)
        return text or None

    def disconnect(self) -> None:
        """Let go of the connections."""
        if self._connections is not None:
            stream, rows = self._connections
            self._connections = None
            stream.close()
            rows.close()

    @property
    def _stream(self) -> redis.Redis:
        return self._connect()[0]

    def _connect(self) -> tuple[redis.Redis, Pipe]:
        if self._connections is None:
            # Who reads the stream tries again; a second retry inside the client would only hide an outage from it.
            stream = client_of_key(
                self._redis_url,
                ARTICLE_CHANGES_KEY,
                socket_timeout=self._timeout_s,
                socket_connect_timeout=_CONNECT_S,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
            )
            self._connections = stream, open_pipe(self._redis_url, self._timeout_s, _CONNECT_S)
        return self._connections
