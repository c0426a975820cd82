"""The live columns of a release's articles: sales of the last 30 days and stock, followed through Redis.

The streaming worker appends to a Redis Stream which articles it has changed; this thread re-reads just those and writes
them into the matrix that requests read. What the stream says is only *which* rows to read again, so reading too much is
harmless, and a gap (the stream is trimmed, or Redis has lost some or all of it) is mended by reading everything once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from feature_repo.contracts import ARTICLE_CHANGES_KEY, EVENT_CLOCK_KEY
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.cluster_slots import client_of_key
from feature_repo.online.redis_pipe import Pipe
from infra.base.calendar import DAY_MICROS, epoch_day, instant_of
from infra.base.clock import Clock
from serving.gateway.state.article_rows import UNITS_3D, read_article_rows
from serving.gateway.state.watermark_clock import WatermarkClock
from serving.release.reader import Release

_CONNECT_S = 1.0
_NOT_LOADED = "sales and stock are not loaded yet"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class FollowConfig:
    """How closely the live columns are followed."""

    load_chunk: int = 2_000  # articles a round trip while nobody waits for this release yet
    change_chunk: int = 500
    change_pause_ms: int = 20  # between two batches of changes
    trends_ms: int = 250  # between two times that what trends, in a catalogue that changes, is worked out anew
    refresh_chunk: int = 200  # small, so that a refresh does not get in the way of requests
    refresh_pause_ms: int = 5
    refresh_every_s: float = 600.0
    refresh_at_most_every_s: float = 60.0  # where the clock runs fast, as in replays
    block_ms: int = 500
    entries: int = 1_000  # of the stream, a read
    timeout_s: float = 5.0


@dataclass(frozen=True)
class _Place:
    """A place in the stream: the last entry read and how many had been added up to it."""

    entry: bytes
    added: int


class ArticleState:
    """Loads and follows the live columns of one release."""

    def __init__(
        self,
        release: Release,
        redis_url: str,
        clock: Clock,
        event_clock: WatermarkClock,
        config: FollowConfig | None = None,
    ) -> None:
        self._release, self._articles, self._index = release, release.articles, release.index
        self._refreshed_version = -1
        self._refresh_release_at = 0.0
        self._clock, self._event_clock = clock, event_clock
        self._config = config or FollowConfig()
        self._redis_url = redis_url
        self._connections: tuple[redis.Redis, Pipe] | None = None
        self._place: _Place | None = None  # None: everything must be read
        self._refresh: Iterator[npt.NDArray[np.int32]] | None = None
        self._refreshed_at = time.monotonic()
        self._refreshed_day = 0
        self._newest_micros = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"article-state-{release.number}", daemon=True)
        self._unreadable: set[str] = set()  # ids of articles whose rows no writer of ours has written
        self.problem: str | None = _NOT_LOADED
        self.reloads = 0
        event_clock.advance(instant_of(release.as_of_day * DAY_MICROS))

    @property
    def newest(self) -> datetime | None:
        """Event time of the newest row read, None where there is none."""
        return instant_of(self._newest_micros) if self._newest_micros else None

    def load(self) -> None:
        """Read everything once. Where Redis is away the release's own columns stand in; :meth:`start` will mend it."""
        try:
            self._load()
        except redis.RedisError as error:
            self._note(error)
        self._release.refresh()

    def start(self) -> None:
        """Follow the changes from here on, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; returns at once."""
        self._stopping.set()

    def discard(self) -> None:
        """Let go of what was loaded and is not followed."""
        self.stop()
        self._disconnect()

    def catch_up(self) -> None:
        """Apply all that has changed up to now; for callers that do not :meth:`start` a thread.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        target = self._end_of_stream().added
        while self._place is None or self._place.added < target:
            self._load() if self._place is None else self._apply_changes()
        self._release.refresh()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                if self._place is None:
                    self._load()
                self._step()
            except redis.RedisError as error:
                self._note(error)
                self._stopping.wait(0.2)
            except Exception as error:
                # A thread that ended would let sales and stock stand still unseen.
                log.exception("article state: everything will be read again")
                self._place, self.problem = None, f"sales and stock are not followed: {type(error).__name__}"
                self._stopping.wait(self._config.timeout_s)
        self._disconnect()

    def _note_followed(self) -> None:
        """All is followed but what cannot be read."""
        self.problem = None
        if self._unreadable:
            some = ", ".join(sorted(self._unreadable)[:3])
            self.problem = f"sales and stock of {len(self._unreadable)} articles cannot be read, such as {some}"

    def _note(self, error: Exception) -> None:
        if self.problem in (None, _NOT_LOADED):
            log.warning("article state: Redis does not answer, sales and stock stand still: %s", error)
        self.problem = f"sales and stock are not followed: {type(error).__name__}"
        self._disconnect()

    def _connect(self) -> tuple[redis.Redis, Pipe]:
        """A client of the server that has the stream, and a pipe to all: of a cluster as it is now."""
        if self._connections is None:
            # The loop above is the retry; a second one inside the client would only hide an outage from it.
            stream = client_of_key(
                self._redis_url,
                ARTICLE_CHANGES_KEY,
                socket_timeout=self._config.timeout_s,
                socket_connect_timeout=_CONNECT_S,
                protocol=2,
                retry=Retry(NoBackoff(), 0),
            )
            self._connections = stream, open_pipe(self._redis_url, self._config.timeout_s, _CONNECT_S)
        return self._connections

    def _disconnect(self) -> None:
        if self._connections is not None:
            stream, rows = self._connections
            self._connections = None
            stream.close()
            rows.close()

    @property
    def _stream(self) -> redis.Redis:
        return self._connect()[0]

    @property
    def _pipe(self) -> Pipe:
        return self._connect()[1]

    def _load(self) -> None:
        # The place is taken before the rows are read: a change in between is then read twice, never missed.
        place = self._end_of_stream()
        self._follow_event_clock()
        everything = np.arange(len(self._articles), dtype=np.int32)
        for chunk in _chunks(everything, self._config.load_chunk):
            if self._stopping.is_set():
                return
            self._read_again(chunk)
        self._place = place
        self._note_followed()
        self._refreshed_at, self._refreshed_day = time.monotonic(), epoch_day(self._clock())
        self.reloads += 1

    def _step(self) -> None:
        """Apply what has changed, waiting for it a moment; meanwhile refresh everything, if that is due."""
        assert self._place is not None
        if self._refresh is None and self._refresh_is_due():
            self._refresh = _chunks(np.arange(len(self._articles), dtype=np.int32), self._config.refresh_chunk)
            self._refreshed_at, self._refreshed_day = time.monotonic(), epoch_day(self._clock())
        wait_ms = self._config.block_ms if self._refresh is None else self._config.refresh_pause_ms
        if self._articles.activity_version != self._refreshed_version:
            wait_ms = min(wait_ms, self._config.trends_ms)
        changed = self._stream.xread({ARTICLE_CHANGES_KEY: self._place.entry}, count=1, block=wait_ms)
        self._note_followed()
        if changed or self._was_emptied():
            self._apply_changes()
            self._stopping.wait(self._config.change_pause_ms / 1e3)
        else:
            self._follow_event_clock()
        if self._refresh is not None:
            chunk = next(self._refresh, None)
            if chunk is None:
                self._refresh = None
            else:
                self._read_again(chunk)
        self._refresh_release()

    def _refresh_release(self) -> None:
        """Work out what trends, a few times a second at most, here and not while somebody waits for an answer."""
        version = self._articles.activity_version
        if version != self._refreshed_version and time.monotonic() >= self._refresh_release_at:
            self._release.refresh()
            self._refreshed_version = version
            self._refresh_release_at = time.monotonic() + self._config.trends_ms / 1e3

    def _refresh_is_due(self) -> bool:
        """Every few minutes, and on a new day, when rows may outlive their time."""
        age_s = time.monotonic() - self._refreshed_at
        new_day = epoch_day(self._clock()) != self._refreshed_day
        return age_s > self._config.refresh_every_s or (new_day and age_s > self._config.refresh_at_most_every_s)

    def _was_emptied(self) -> bool:
        """Whether Redis lost the stream, as after FLUSHALL: then it holds less than was read already."""
        assert self._place is not None
        return self._end_of_stream().added < self._place.added

    def _apply_changes(self) -> None:
        place = self._place
        assert place is not None
        # Entries and their count in one transaction: a difference is then a gap for certain, no race with trimming.
        pipeline = self._stream.pipeline(transaction=True)
        pipeline.xinfo_stream(ARTICLE_CHANGES_KEY)
        pipeline.xrange(ARTICLE_CHANGES_KEY, min=b"(" + place.entry, count=self._config.entries)
        info, entries = pipeline.execute(raise_on_error=False)
        if isinstance(info, Exception) or isinstance(entries, Exception):
            self._place = None  # the stream is gone, or elsewhere
            return
        unread = int(info["entries-added"]) - place.added
        if len(entries) != min(unread, self._config.entries):
            log.warning("article state: %d changes were trimmed unread; reading everything", unread - len(entries))
            self._place = None
            return
        changed: set[str] = set()
        for _, fields in entries:
            changed.update(fields.get(b"articles", b"").decode().split(","))
        positions = self._articles.positions(sorted(changed))
        for chunk in _chunks(positions[positions >= 0], self._config.change_chunk):
            self._read_again(chunk)
        for _, fields in entries:
            if b"clock" in fields:
                self._event_clock.advance_to(fields[b"clock"])
        if entries:  # only now: a row that could not be read is read with the next try
            self._place = _Place(entries[-1][0], place.added + len(entries))

    def _end_of_stream(self) -> _Place:
        try:
            info: Any = self._stream.xinfo_stream(ARTICLE_CHANGES_KEY)
        except redis.ResponseError as error:
            if "no such key" not in str(error):  # such as: another master of the cluster has it now
                raise
            return _Place(b"0-0", 0)  # nobody has written to it yet
        return _Place(info["last-generated-id"], int(info["entries-added"]))

    def _follow_event_clock(self) -> None:
        text: Any = self._pipe.call(b"GET", EVENT_CLOCK_KEY)
        if text:
            self._event_clock.advance_to(text)

    def _read_again(self, positions: npt.NDArray[np.int32]) -> None:
        """Read the rows of some articles from Redis and write those that differ into the matrix and the index."""
        ids = [self._articles.ids[position] for position in positions.tolist()]
        rows = read_article_rows(self._pipe, ids, self._clock())
        self._newest_micros = max(self._newest_micros, rows.newest_micros)
        self._note_unreadable(ids, rows.unreadable)
        if rows.unreadable:  # they keep what was known of them
            readable = np.setdiff1d(np.arange(len(ids)), rows.unreadable)
            positions, rows = positions[readable], rows.only(readable)
        self._articles.in_stock[positions] = rows.in_stock
        old = self._articles.activity[positions]
        differs = ~((old == rows.activity) | (np.isnan(old) & np.isnan(rows.activity))).all(axis=1)
        if differs.any():
            self._articles.update_activity(positions[differs], rows.activity[differs])
            self._index.set_units(positions[differs], np.nan_to_num(rows.activity[differs, UNITS_3D]))

    def _note_unreadable(self, ids: list[str], unreadable: Sequence[int]) -> None:
        broken = {ids[number] for number in unreadable}
        for article_id in sorted(broken - self._unreadable):
            log.error("article state: Redis holds a malformed row of article %s; its columns stand still", article_id)
        self._unreadable = (self._unreadable - set(ids)) | broken


def _chunks(positions: npt.NDArray[np.int32], size: int) -> Iterator[npt.NDArray[np.int32]]:
    return (positions[start : start + size] for start in range(0, positions.size, size))
