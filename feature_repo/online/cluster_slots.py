"""Which master of a Redis Cluster has a key, by the slot that redis-py gives it."""

from __future__ import annotations

import random
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.crc import REDIS_CLUSTER_HASH_SLOTS, key_slot
from redis.exceptions import ConnectionError, RedisError, ResponseError

from feature_repo.online.redis_pipe import RedisPipe
from infra.base.addresses import Address
from infra.base.errors import UserError
from infra.base.redis_url import RedisUrl

_NOBODY = -1
_ASK_SECONDS = 5.0


@dataclass(frozen=True)
class ClusterSlots:
    """Who has which slots.

    Attributes:
        masters: those that have any.
        owners: position of its master for every slot; -1 where nobody has it.
    """

    masters: tuple[Address, ...]
    owners: array[int]

    @classmethod
    def of_reply(cls, reply: Sequence[Any], asked: Address) -> ClusterSlots:
        """Read the reply to ``CLUSTER SLOTS``.

        Args:
            asked: who gave it; a server that does not know its own name leaves it out.
        """
        masters: dict[Address, int] = {}
        owners = array("h", [_NOBODY]) * REDIS_CLUSTER_HASH_SLOTS
        for first, last, (host, port, *_), *_ in reply:
            address = (host.decode() if host else asked[0]), int(port)
            master = masters.setdefault(address, len(masters))
            owners[first : last + 1] = array("h", [master]) * (last + 1 - first)
        return cls(tuple(masters), owners)

    def check_complete(self) -> None:
        """Make sure that every slot is served.

        Raises:
            redis.exceptions.ConnectionError: some are not.
        """
        missing = self.owners.count(_NOBODY)
        if missing:
            raise ConnectionError(f"{missing:,} of the cluster's {REDIS_CLUSTER_HASH_SLOTS:,} slots belong to nobody")

    def master_of(self, key: bytes) -> Address:
        """Who has this key.

        Raises:
            redis.exceptions.ConnectionError: nobody has its slot.
        """
        owner = self.owners[key_slot(key)]
        if owner == _NOBODY:
            raise ConnectionError(f"slot {key_slot(key)} of the cluster belongs to nobody")
        return self.masters[owner]


def read_cluster_slots(url: RedisUrl) -> ClusterSlots:
    """Ask the nodes that the URL names, one after the other.

    In any order: one that is cut off from the others answers with what it knew and must not be the one asked each time.

    Raises:
        redis.exceptions.ConnectionError: none answers, or slots belong to nobody.
        UserError: the first to answer is no part of a cluster.
    """
    failure: Exception | None = None
    for address in random.sample(url.addresses, len(url.addresses)):
        try:
            pipe = RedisPipe(url.node(address), _ASK_SECONDS)
            try:
                slots = ClusterSlots.of_reply(pipe.call(b"CLUSTER", b"SLOTS"), address)
            finally:
                pipe.close()
            slots.check_complete()
            return slots
        except ResponseError as error:
            if "cluster support disabled" in str(error):
                raise UserError(
                    f"{address[0]}:{address[1]} is no node of a Redis Cluster; write VITRINE_REDIS_URL as redis://..."
                ) from error
            failure = error
        except RedisError as error:
            failure = error
    raise ConnectionError(f"no node of the cluster answers: {failure}") from failure


def master_clients(text: str, **options: Any) -> list[redis.Redis]:
    """A redis-py client for every master, or for the one Redis: to look at all keys, or to talk to one master only."""
    url = RedisUrl.parse(text)
    addresses = read_cluster_slots(url).masters if url.is_cluster else url.addresses
    return [redis.Redis.from_url(url.node(address), **options) for address in addresses]


def client_of_key(text: str, key: bytes, **options: Any) -> redis.Redis:
    """A redis-py client to who has this key now; when it has moved, calls fail with ``MovedError``."""
    url = RedisUrl.parse(text)
    address = read_cluster_slots(url).master_of(key) if url.is_cluster else url.addresses[0]
    return redis.Redis.from_url(url.node(address), **options)
