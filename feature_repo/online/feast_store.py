"""Feast's own Redis online store, connected by Vitrine's Redis URL. The one module of this room that imports Feast.

Feast's notation of an address, ``host:port,password=...``, cannot hold every password (a comma ends it, ``true`` and
``12e3`` turn into other values), nor IPv6, nor TLS options of redis-py; the URL can.
"""

from __future__ import annotations

from typing import Any, Final, Literal

import redis
import redis.asyncio
from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from pydantic import SecretStr
from redis.asyncio.cluster import ClusterNode as AsyncNode
from redis.cluster import ClusterNode

from infra.base.redis_url import RedisUrl
from infra.base.settings import Settings

STORE_TYPE: Final = "feature_repo.online.feast_store.VitrineRedisOnlineStore"


class VitrineRedisOnlineStoreConfig(RedisOnlineStoreConfig):
    """Feast's configuration; ``redis_url`` is that of the environment or the running stack if it is not given."""

    type: Literal["feature_repo.online.feast_store.VitrineRedisOnlineStore"] = STORE_TYPE
    redis_url: SecretStr | None = None


class VitrineRedisOnlineStore(RedisOnlineStore):
    """``RedisOnlineStore`` on redis-py's clients of a URL."""

    _client: Any = None
    _client_async: Any = None

    def _get_client(self, online_store_config: RedisOnlineStoreConfig) -> Any:
        if not self._client:
            url = _url(online_store_config)
            if url.is_cluster:
                nodes: list[Any] = [ClusterNode(*address) for address in url.addresses]  # type: ignore[no-untyped-call]
                self._client = redis.RedisCluster.from_url(url.node(url.addresses[0]), startup_nodes=nodes)
            else:
                self._client = redis.Redis.from_url(url.text)
        return self._client

    async def _get_client_async(self, online_store_config: RedisOnlineStoreConfig) -> Any:
        if not self._client_async:
            url = _url(online_store_config)
            if url.is_cluster:
                nodes = [AsyncNode(*address) for address in url.addresses]
                self._client_async = redis.asyncio.RedisCluster.from_url(
                    url.node(url.addresses[0]), startup_nodes=nodes
                )
            else:
                self._client_async = redis.asyncio.Redis.from_url(url.text)
        return self._client_async


def _url(config: RedisOnlineStoreConfig) -> RedisUrl:
    assert isinstance(config, VitrineRedisOnlineStoreConfig)
    given = config.redis_url
    return RedisUrl.parse(given.get_secret_value() if given else Settings.from_environment().redis_url)
