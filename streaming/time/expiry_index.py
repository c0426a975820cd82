"""Which windows change by themselves on which day: one Redis set per view, day and shard.

A purchase of day P leaves windows of n days on P + n. Entries are only ever added before the purchase's offset counts
as done and only removed after the window has been written at that clock day, so a crash can leave an entry too many,
never one too few. Sets of passed days that are not empty are work to do, whoever left it. On a Redis Cluster windows
and sets lie on different servers, which lose their last moments each for itself: ``ClusterExpiryIndex``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from zlib import crc32

from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import Keyed, keyed
from streaming.store.node_marks import key_of_shard

SHARDS = 16
_PROBED_DAYS_AT_ONCE = 64


def shard_of(entity_id: str) -> int:
    """Splits entities among workers; nothing but the division of labour depends on it."""
    return crc32(entity_id.encode()) % SHARDS


class ExpiryIndex:
    """The sets of one view.

    Args:
        entity: ``customer`` or ``article``.
        lags: after how many days a purchase changes the values.
    """

    def __init__(self, pipe: Pipe, entity: str, lags: tuple[int, ...]) -> None:
        self._pipe = pipe
        self._entity = entity
        self._lags = lags

    def additions(self, changes: Iterable[tuple[str, int]], day: int, horizon_day: int) -> list[Keyed]:
        """Commands that put (entity id, day of purchase) on the sets of days after the clock day ``day``.

        Purchases dated after ``horizon_day`` are held back: their own day is one on which values change.
        """
        members: dict[tuple[int, int], set[str]] = {}
        for (purchase_day, shard), entity_ids in _by_day(changes).items():
            due_days = [purchase_day + lag for lag in self._lags if purchase_day + lag > day]
            if purchase_day > horizon_day:
                due_days.append(purchase_day)
            for due_day in due_days:
                members.setdefault((due_day, shard), set()).update(entity_ids)
        return self._commands(b"SADD", members)

    def removals(self, changes: Iterable[tuple[str, int]], day: int, clock_day: int) -> list[Keyed]:
        """Commands that take off again what ``additions`` has put down for days up to ``clock_day``.

        For windows that were written at ``clock_day`` since: those who look after these days may have passed them.
        """
        members: dict[tuple[int, int], set[str]] = {}
        for (purchase_day, shard), entity_ids in _by_day(changes).items():
            for due_day in (purchase_day, *[purchase_day + lag for lag in self._lags]):
                if day < due_day <= clock_day:
                    members.setdefault((due_day, shard), set()).update(entity_ids)
        return self._commands(b"SREM", members)

    def waiting(self, days: range, shards: Iterable[int]) -> Iterator[tuple[int, int]]:
        """(day, shard) of sets that are not empty, oldest first."""
        shards = list(shards)
        for start in range(days.start, days.stop, _PROBED_DAYS_AT_ONCE):
            slots = [
                (day, shard) for day in range(start, min(start + _PROBED_DAYS_AT_ONCE, days.stop)) for shard in shards
            ]
            counts = self._pipe.ask([keyed(b"SCARD", self._key(day, shard)) for day, shard in slots])
            yield from [slot for slot, count in zip(slots, counts, strict=True) if count]

    def some(self, day: int, shard: int, limit: int) -> list[str]:
        """Up to ``limit`` entities of one set."""
        members = self._pipe.call(b"SRANDMEMBER", self._key(day, shard), b"%d" % limit)
        return [member.decode() for member in members]

    def done(self, day: int, shard: int, entity_ids: Iterable[str]) -> None:
        """Take entities off one set, after their windows were written."""
        self._pipe.call(b"SREM", self._key(day, shard), *[entity_id.encode() for entity_id in entity_ids])

    def look_after(self, shards: Iterable[int], day: int) -> None:
        """To be called at every sweep at clock day ``day``: these shards are ours."""

    def forget(self) -> None:
        """Others may look after these shards now."""

    def _commands(self, name: bytes, members: Mapping[tuple[int, int], Iterable[str]]) -> list[Keyed]:
        return [
            keyed(name, self._key(due_day, shard), *[entity_id.encode() for entity_id in entity_ids])
            for (due_day, shard), entity_ids in members.items()
        ]

    def _key(self, day: int, shard: int) -> bytes:
        name = b"vitrine:expiry:%s:%d:%d" % (self._entity.encode(), day, shard)
        return key_of_shard(name, shard, self._pipe.is_cluster)


def _by_day(changes: Iterable[tuple[str, int]]) -> dict[tuple[int, int], list[str]]:
    """The entities of each day and shard."""
    groups: dict[tuple[int, int], list[str]] = {}
    for entity_id, day in changes:
        groups.setdefault((day, shard_of(entity_id)), []).append(entity_id)
    return groups


def shards_of(partitions: Iterable[int], partition_count: int) -> list[int]:
    """The shards of the expiry index that the reader of these partitions looks after."""
    own = set(partitions)
    return [shard for shard in range(SHARDS) if shard % partition_count in own]
