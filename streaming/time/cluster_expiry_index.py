"""The expiry index on a Redis Cluster, where an entry's removal may outlast the write that it was removed for.

The window's master may lose its last moments, and with them that the window has fallen, while the master of the entry
keeps its removal: the window would never fall again. So an entry that is done goes into a second set of the same slot,
and stays there for longer than any master can have been behind its disk or its replica. Whoever begins to look after a
shard, as everyone does after a lost connection, puts the set's members up for today once more. For a window that has
fallen that is one look, no write.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable

from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import Keyed, keyed
from streaming.store.node_marks import key_of_shard
from streaming.time.expiry_index import ExpiryIndex

KEPT_SECONDS = 600.0
"""Entries that are done are kept so long at least, and twice as long at most while a worker looks after them. Without
one they stay: however long a deployment was down, the first worker finds them."""

# Forgets the older half of what is done, unless someone else has put it up again since: that is theirs to keep.
_ROTATE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[3])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[3]) end
return 1
"""


class ClusterExpiryIndex(ExpiryIndex):
    """The sets of one view, each shard in one slot.

    Args:
        now: seconds of a clock that does not go back.
    """

    def __init__(
        self, pipe: Pipe, entity: str, lags: tuple[int, ...], now: Callable[[], float] = time.monotonic
    ) -> None:
        super().__init__(pipe, entity, lags)
        self._now = now
        self._name = os.urandom(8).hex().encode()
        self._rotate = pipe.load_script(_ROTATE)
        self._kept_since: dict[int, float] = {}

    def done(self, day: int, shard: int, entity_ids: Iterable[str]) -> None:
        """Take entities off one set, after their windows were written, and remember them for a while."""
        members = [entity_id.encode() for entity_id in entity_ids]
        # In this order, and in one slot: where the removal is known, the other set is.
        self._pipe.ask(
            [
                keyed(b"SADD", self._done_key(b"new", shard), *members),
                keyed(b"SREM", self._key(day, shard), *members),
            ]
        )

    def look_after(self, shards: Iterable[int], day: int) -> None:
        """Put up for ``day`` what was done of shards that are ours from now on; forget what was done long ago."""
        now = self._now()
        commands: list[Keyed] = []
        for shard in shards:
            since = self._kept_since.get(shard)
            new, old = self._done_key(b"new", shard), self._done_key(b"old", shard)
            if since is None:
                due = self._key(day, shard)
                commands += [
                    keyed(b"SET", self._done_key(b"keeper", shard), self._name),
                    keyed(b"SUNIONSTORE", due, due, new, old),
                ]
            elif now - since >= KEPT_SECONDS:
                keeper = self._done_key(b"keeper", shard)
                _, rotate = keyed(b"EVALSHA", self._rotate, b"3", keeper, new, old, self._name)
                commands.append((keeper, rotate))
            else:
                continue
            self._kept_since[shard] = now
        self._pipe.ask(commands)

    def forget(self) -> None:
        """Others may look after these shards now."""
        self._kept_since.clear()

    def _done_key(self, which: bytes, shard: int) -> bytes:
        return key_of_shard(b"vitrine:expired:%b:%b:%d" % (self._entity.encode(), which, shard), shard, True)
