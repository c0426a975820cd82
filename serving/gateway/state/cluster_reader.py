"""Customers' hashes out of a Redis Cluster, for the gateway: one HMGET to whoever has the key, as on one Redis.

redis-py's own cluster client retries, sleeps and asks for the map of slots while a request waits. Here a request fails
at once, so that its answer is given without, and the map is read anew beside it; only a key that has moved is followed.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import redis.asyncio
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    ReadOnlyError,
    RedisError,
    TimeoutError,
)

from feature_repo.online.cluster_slots import ClusterSlots
from infra.base.addresses import Address
from infra.base.redis_url import RedisUrl

_LOOK_AGAIN_S = 0.2

log = logging.getLogger(__name__)


class ClusterReader:
    """Reads hashes; one pool of connections per master.

    Args:
        url: names some nodes of the cluster.
        client_of: makes the client of one node from its URL.
    """

    def __init__(self, url: RedisUrl, client_of: Callable[[str], redis.asyncio.Redis]) -> None:
        self._url = url
        self._client_of = client_of
        self._clients: dict[Address, redis.asyncio.Redis] = {}
        self._slots: ClusterSlots | None = None
        self._learning: asyncio.Task[ClusterSlots] | None = None
        self._refreshing: asyncio.Task[None] | None = None

    async def hmget(self, key: bytes, fields: Sequence[bytes]) -> list[bytes | None]:
        """The fields of one hash.

        Raises:
            redis.exceptions.RedisError: the key's master does not answer, or there is none.
        """
        slots = self._slots or await self._learn()
        try:
            return await self._hmget(slots.master_of(key), key, fields)
        except MovedError as moved:
            self._look_again()
            return await self._hmget((moved.host, moved.port), key, fields)
        except AskError as between:
            return await self._hmget((between.host, between.port), key, fields, asking=True)
        except (ConnectionError, TimeoutError, ClusterDownError, ReadOnlyError):
            self._look_again()
            raise

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in (self._learning, self._refreshing):
            if task is not None:
                task.cancel()
                with suppress(asyncio.CancelledError, RedisError):
                    await task
        for client in self._clients.values():
            await client.aclose()

    async def _hmget(
        self, address: Address, key: bytes, fields: Sequence[bytes], asking: bool = False
    ) -> list[bytes | None]:
        client: Any = self._client(address)
        if not asking:
            values: list[bytes | None] = await client.hmget(key, fields)
            return values
        async with client.pipeline(transaction=False) as pipeline:
            pipeline.execute_command("ASKING").hmget(key, fields)
            _, values = await pipeline.execute()
            return values

    def _client(self, address: Address) -> redis.asyncio.Redis:
        if address not in self._clients:
            self._clients[address] = self._client_of(self._url.node(address))
        return self._clients[address]

    async def _learn(self) -> ClusterSlots:
        """The map of slots; requests that come meanwhile wait for the same answer."""
        if self._learning is None or self._learning.done():
            self._learning = asyncio.create_task(self._read_slots())
        return await asyncio.shield(self._learning)

    async def _read_slots(self) -> ClusterSlots:
        addresses = list({*self._url.addresses, *(self._slots.masters if self._slots else ())})
        random.shuffle(addresses)  # one that is cut off from the others must not be the one asked each time
        failure: RedisError | None = None
        for address in addresses:
            client: Any = self._client(address)
            try:
                reply = await client.execute_command("CLUSTER", "SLOTS")
                self._slots = ClusterSlots.of_reply(reply, address)
                return self._slots
            except RedisError as error:
                failure = error
        raise ConnectionError(f"no node of the Redis Cluster answers: {failure}")

    def _look_again(self) -> None:
        """Read the map of slots anew, beside the requests, and not more often than a few times a second."""
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._refresh())

    async def _refresh(self) -> None:
        try:
            await self._learn()
        except RedisError as error:
            log.warning("%s", error)
        await asyncio.sleep(_LOOK_AGAIN_S)
