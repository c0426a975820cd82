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

import numpy as np
import numpy.typing as npt
import redis

from infra.base.calendar import DAY_MICROS, epoch_day, instant_of
from infra.base.clock import Clock
from serving.gateway.state.article_changes import ArticleChanges, Place
from serving.gateway.state.article_rows import UNITS_3D, read_article_rows
from serving.gateway.state.watermark_clock import WatermarkClock
from serving.release.reader import Release

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
        self._changes = ArticleChanges(redis_url, self._config.timeout_s)
        self._place: Place | None = None  # None: everything must be read
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
        self._refresh_release()

    def start(self) -> None:
        """Follow the changes from here on, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop following; returns at once."""
        self._stopping.set()

    def discard(self) -> None:
        """Let go of what was loaded and is not followed."""
        self.stop()
        self._changes.disconnect()

    def catch_up(self) -> None:
        """Apply all that has changed up to now; for callers that do not :meth:`start` a thread.

        Raises:
            redis.RedisError: Redis does not answer.
        """
        target = self._changes.end().added
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
        self._changes.disconnect()

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
        self._changes.disconnect()

    def _load(self) -> None:
        # The place is taken before the rows are read: a change in between is then read twice, never missed.
        place = self._changes.end()
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
        changed = self._changes.wait(self._place, wait_ms)
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
        return self._changes.end().added < self._place.added

    def _apply_changes(self) -> None:
        assert self._place is not None
        changes = self._changes.since(self._place, self._config.entries)
        if changes is None or changes.trimmed:
            if changes is not None:
                log.warning("article state: %d changes were trimmed unread; reading everything", changes.trimmed)
            self._place = None
            return
        positions = self._articles.positions(changes.article_ids)
        for chunk in _chunks(positions[positions >= 0], self._config.change_chunk):
            self._read_again(chunk)
        for clock in changes.clocks:
            self._event_clock.advance_to(clock)
        self._place = changes.place  # only now: a row that could not be read is read with the next try

    def _follow_event_clock(self) -> None:
        text = self._changes.event_clock()
        if text:
            self._event_clock.advance_to(text)

    def _read_again(self, positions: npt.NDArray[np.int32]) -> None:
        """Read the rows of some articles from Redis and write those that differ into the matrix and the index."""
        ids = [self._articles.ids[position] for position in positions.tolist()]
        rows = read_article_rows(self._changes.pipe, ids, self._clock())
        self._newest_micros = max(self._newest_micros, rows.newest_micros)
        self._note_unreadable(ids, rows.unreadable)
        if rows.unreadable:  # they keep what was known of them
            readable = np.setdiff1d(np.arange(len(ids)), rows.unreadable)
            positions, rows = positions[readable], rows.only(readable)
        self._articles.in_stock[positions] = rows.in_stock
        old = self._articles.activity[positions]
        differs = ~((old == rows.activity) | (np.isnan(old) & np.isnan(rows.activity))).all(axis=1)
        differs |= self._articles.price_remainders[positions, 0] != rows.price_remainders
        if differs.any():
            self._articles.update_activity(positions[differs], rows.activity[differs], rows.price_remainders[differs])
            self._index.set_units(positions[differs], np.nan_to_num(rows.activity[differs, UNITS_3D]))

    def _note_unreadable(self, ids: list[str], unreadable: Sequence[int]) -> None:
        broken = {ids[number] for number in unreadable}
        for article_id in sorted(broken - self._unreadable):
            log.error("article state: Redis holds a malformed row of article %s; its columns stand still", article_id)
        self._unreadable = (self._unreadable - set(ids)) | broken


def _chunks(positions: npt.NDArray[np.int32], size: int) -> Iterator[npt.NDArray[np.int32]]:
    return (positions[start : start + size] for start in range(0, positions.size, size))
