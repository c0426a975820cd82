"""Feast's own Redis online store, told where Vitrine's Redis is. The one module of this room that imports Feast."""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import unquote, urlsplit

from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from pydantic import Field, StrictStr

from infra.settings import Settings

STORE_TYPE: Final = "feature_repo.online.feast_store.VitrineRedisOnlineStore"


def connection_string(redis_url: str) -> str:
    """Feast's way of writing a Redis URL: ``redis://:secret@host:6379/0`` becomes ``host:6379,db=0,password=secret``.

    Raises:
        ValueError: the URL's scheme is not ``redis`` or ``rediss``.
    """
    url = urlsplit(redis_url)
    if url.scheme not in ("redis", "rediss"):
        raise ValueError(f"VITRINE_REDIS_URL is {redis_url!r}; expected redis://host:port/db or rediss://...")
    parts = [f"{url.hostname or 'localhost'}:{url.port or 6379}", f"db={url.path.strip('/') or 0}"]
    if url.username:
        parts.append(f"username={unquote(url.username)}")
    if url.password:
        parts.append(f"password={unquote(url.password)}")
    if url.scheme == "rediss":
        parts.append("ssl=true")
    return ",".join(parts)


class VitrineRedisOnlineStoreConfig(RedisOnlineStoreConfig):
    """Feast's configuration; without a connection string, that of the running stack."""

    type: Literal["feature_repo.online.feast_store.VitrineRedisOnlineStore"] = STORE_TYPE
    connection_string: StrictStr = Field(
        default_factory=lambda: connection_string(Settings.from_environment().redis_url)
    )


class VitrineRedisOnlineStore(RedisOnlineStore):
    """``RedisOnlineStore``, unchanged."""
