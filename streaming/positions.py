"""How far each partition of a topic is applied to the online store: written after everything that it vouches for."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from feature_repo.online.redis_pipe import Keyed, Pipe, keyed, raise_error
from streaming.node_marks import mark_keys

log = logging.getLogger("vitrine.stream")


class Positions:
    """The next offset to apply of each partition, marked so that it is lost with whatever it speaks of.

    Args:
        pipe: the connection.
        topic: whose partitions.
    """

    def __init__(self, pipe: Pipe, topic: str) -> None:
        self._pipe = pipe
        self._keys = position_keys(topic, pipe.is_cluster)

    def query(self) -> list[Keyed]:
        """Commands that ask for them; ``of_replies`` reads the answers."""
        return [keyed(b"HGETALL", key) for key in self._keys]

    def of_replies(self, replies: Sequence[Any]) -> dict[int, int]:
        """Partition to offset, the least that any mark says; partitions that a mark does not know are left out."""
        for reply in replies:
            raise_error(reply)
        return least([dict(zip(map(int, flat[::2]), map(int, flat[1::2]), strict=True)) for flat in replies])

    def read(self) -> dict[int, int]:
        """Ask and wait; tell an operator where a part of a cluster has lost everything."""
        replies = self._pipe.ask(self.query())
        empty = [key.decode() for key, reply in zip(self._keys, replies, strict=True) if not reply]
        if empty and any(replies):
            log.error(
                "a part of the Redis Cluster was emptied: %s hold no positions. Its windows are made anew from the "
                "topic's beginning; if that does not reach back 30 days, stop all workers and run "
                "`vitrine stream --bootstrap`",
                ", ".join(empty),
            )
        return self.of_replies(replies)

    def write(self, offsets: Mapping[int, int]) -> None:
        """Mark how far partitions are applied; all that was sent before must have been answered."""
        fields = [part for number, offset in offsets.items() for part in (b"%d" % number, b"%d" % offset)]
        if fields:
            self._pipe.ask([keyed(b"HSET", key, *fields) for key in self._keys])

    def forget(self) -> None:
        """Nothing is applied."""
        self._pipe.ask([keyed(b"DEL", key) for key in self._keys])


def position_keys(topic: str, is_cluster: bool) -> list[bytes]:
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
