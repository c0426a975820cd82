"""Expires what has left windows that nobody buys from any more: goes through the expiry index in bounded steps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from feature_repo.contracts import SWEPT_KEY
from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import keyed
from streaming.store.node_marks import key_of_shard
from streaming.time.event_clock import EventClock
from streaming.time.expiry_index import ExpiryIndex
from streaming.windows.updates import WindowUpdates

_DAYS_OF_ENTRIES = 64  # a set's day is at most a window ahead of the clock that it was written at, plus leaps


class Sweep:
    """Brings silent windows to the clock day.

    Args:
        pipe: the connection; a new one needs a new sweep.
        clock: whose day counts.
        expiries: the windows of each kind of entity, and their index.
    """

    def __init__(self, pipe: Pipe, clock: EventClock, expiries: Sequence[tuple[WindowUpdates, ExpiryIndex]]) -> None:
        self._pipe = pipe
        self._clock = clock
        self._expiries = expiries
        self._swept: dict[int, int] = {}

    def step(self, shards: Iterable[int], limit: int) -> tuple[int, dict[WindowUpdates, list[str]]]:
        """Expire at most about ``limit`` windows of these shards.

        Returns:
            How many were brought to the clock day, 0 when nothing is left to do; and which.
        """
        day, moved = self._clock.day, 0
        expired: dict[WindowUpdates, list[str]] = {updates: [] for updates, _ in self._expiries}
        if not self._clock.now_us:
            return 0, expired
        shards = list(shards)
        unfinished = False
        for _, index in self._expiries:
            index.look_after(shards, day)
        # Days are swept again for a while: a worker that is a little behind may add to a set that was empty already.
        first = min([self._swept_through(shard) for shard in shards], default=day) - 2
        for updates, index in self._expiries:
            for due_day, shard in index.waiting(range(first, day + 1), shards):
                while moved < limit and (entity_ids := index.some(due_day, shard, limit - moved)):
                    updates.advance(entity_ids, day)
                    index.done(due_day, shard, entity_ids)
                    moved += len(entity_ids)
                    expired[updates] += entity_ids
                if moved >= limit:
                    unfinished = True
                    break
        if not unfinished and any(self._swept[shard] < day for shard in shards):
            self._swept.update(dict.fromkeys(shards, day))
            self._pipe.ask([keyed(b"HSET", self._key(shard), b"%d" % shard, b"%d" % day) for shard in shards])
        return moved, expired

    def forget(self) -> None:
        """Others may look after our shards now."""
        self._swept.clear()
        for _, index in self._expiries:
            index.forget()

    def _swept_through(self, shard: int) -> int:
        """The day up to which a shard of the expiry index was found empty, by whoever looked after it."""
        if shard not in self._swept:
            # A former owner may have died before it took off what it had put down behind the sweep: look far back once.
            stored = self._pipe.call(b"HGET", self._key(shard), b"%d" % shard)
            far_back = self._clock.day - _DAYS_OF_ENTRIES
            self._swept[shard] = far_back if stored is None else min(int(stored), far_back)
        return self._swept[shard]

    def _key(self, shard: int) -> bytes:
        return key_of_shard(SWEPT_KEY, shard, self._pipe.is_cluster)
