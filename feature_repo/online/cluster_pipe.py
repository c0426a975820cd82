"""A pipe to a Redis Cluster: one connection to every master, each command to who has its key."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from redis.crc import key_slot

from feature_repo.online.cluster_slots import ClusterSlots, read_cluster_slots
from feature_repo.online.redis_pipe import Pending, Pipe, RedisPipe
from feature_repo.online.resp import Keyed
from infra.base.redis_url import RedisUrl


class ClusterPending:
    """Commands on their way to several masters.

    Attributes:
        owners: the master of each command, in the order of the batch.
        parts: by master, what was sent there.
    """

    __slots__ = ("owners", "parts")

    def __init__(self, owners: list[int], parts: list[tuple[int, Pending]]) -> None:
        self.owners = owners
        self.parts = parts


class ClusterPipe(Pipe):
    """A ``Pipe`` to all masters of a cluster.

    The map of slots is read once. Redirections are not followed: a key that has moved, or a master that is gone, is
    taken for a lost connection, and whoever makes a new pipe then has a new map.

    Raises:
        redis.exceptions.ConnectionError: a master does not answer, or slots belong to nobody.
        UserError: it is no cluster.
    """

    is_cluster = True

    def __init__(self, url: RedisUrl, *timeouts: float) -> None:
        self.slots: ClusterSlots = read_cluster_slots(url)
        with ExitStack() as opened:
            self._pipes: list[RedisPipe] = []
            for address in self.slots.masters:
                self._pipes.append(RedisPipe(url.node(address), *timeouts))
                opened.callback(self._pipes[-1].close)
            opened.pop_all()

    def load_script(self, source: str) -> bytes:
        digests = {pipe.load_script(source) for pipe in self._pipes}
        return digests.pop()

    def send(self, batch: Sequence[Keyed]) -> ClusterPending:
        owner_of_slot = self.slots.owners
        owners = [owner_of_slot[key_slot(key)] for key, _ in batch]
        shares: list[list[Keyed]] = [[] for _ in self._pipes]
        for owner, of_key in zip(owners, batch, strict=True):
            shares[owner].append(of_key)
        parts = [(owner, self._pipes[owner].send(share)) for owner, share in enumerate(shares) if share]
        return ClusterPending(owners, parts)

    def read(self, pending: ClusterPending) -> list[Any]:
        """The replies in the order of the batch, once all masters have answered."""
        replies = {owner: iter(self._pipes[owner].read(part)) for owner, part in pending.parts}
        return [next(replies[owner]) for owner in pending.owners]

    def close(self) -> None:
        for pipe in self._pipes:
            pipe.close()


def open_pipe(url: str, *timeouts: float) -> Pipe:
    """A pipe to the Redis or the Redis Cluster at this URL.

    Args:
        timeouts: seconds to wait for an answer, and for a connection.

    Raises:
        redis.exceptions.ConnectionError: it does not answer.
        UserError: the URL is malformed, or says cluster where there is none.
    """
    parsed = RedisUrl.parse(url)
    return ClusterPipe(parsed, *timeouts) if parsed.is_cluster else RedisPipe(parsed.text, *timeouts)
