"""How far each partition of a topic is applied to the online store: written after everything that it vouches for."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping

from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import keyed
from streaming.store.node_marks import mark_keys

log = logging.getLogger("vitrine.stream")


class Checkpoints:
    """The next offset to apply of each partition, marked so that it is lost with whatever it speaks of.

    Args:
        pipe: the connection.
        topic: whose partitions.
    """

    def __init__(self, pipe: Pipe, topic: str) -> None:
        self._pipe = pipe
        self._keys = checkpoint_keys(topic, pipe.is_cluster)

    def now(self) -> dict[int, int]:
        """Partition to offset, the least that any mark says; partitions that a mark does not know are left out."""
        return least(self._marks())

    def read(self) -> dict[int, int]:
        """The same, and tell an operator where a part of a cluster has lost everything."""
        marks = self._marks()
        empty = [key.decode() for key, mark in zip(self._keys, marks, strict=True) if not mark]
        if empty and any(marks):
            log.error(
                "a part of the Redis Cluster was emptied: %s hold no positions. Its windows are made anew from the "
                "topic's beginning; if that does not reach back 30 days, stop all workers and run "
                "`vitrine stream --bootstrap`",
                ", ".join(empty),
            )
        return least(marks)

    def write(self, offsets: Mapping[int, int]) -> None:
        """Mark how far partitions are applied; all that was sent before must have been answered."""
        fields = [part for number, offset in offsets.items() for part in (b"%d" % number, b"%d" % offset)]
        if fields:
            self._pipe.ask([keyed(b"HSET", key, *fields) for key in self._keys])

    def forget(self) -> None:
        """Nothing is applied."""
        self._pipe.ask([keyed(b"DEL", key) for key in self._keys])

    def _marks(self) -> list[dict[int, int]]:
        replies = self._pipe.ask([keyed(b"HGETALL", key) for key in self._keys])
        return [dict(zip(map(int, flat[::2]), map(int, flat[1::2]), strict=True)) for flat in replies]


def checkpoint_keys(topic: str, is_cluster: bool) -> list[bytes]:
    """The Redis hashes of partition to next offset to apply."""
    return mark_keys(f"vitrine:positions:{topic}".encode(), is_cluster)


def least(marks: Iterable[Mapping[int, int]]) -> dict[int, int]:
    """Of several marks, what all agree upon."""
    first, *others = marks
    return {
        partition: min([offset, *[other[partition] for other in others]])
        for partition, offset in first.items()
        if all(partition in other for other in others)
    }
