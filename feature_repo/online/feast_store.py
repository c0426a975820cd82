"""Feast's own Redis online store, told where Vitrine's Redis is. The one module of this room that imports Feast."""

from __future__ import annotations

from typing import Any, Final, Literal

from feast.infra.online_stores.redis import RedisOnlineStore, RedisOnlineStoreConfig
from pydantic import model_validator

from feature_repo.online.redis_url import RedisUrl
from infra.settings import Settings

STORE_TYPE: Final = "feature_repo.online.feast_store.VitrineRedisOnlineStore"


class VitrineRedisOnlineStoreConfig(RedisOnlineStoreConfig):
    """Feast's configuration; without a connection string, that of the running stack, be it one Redis or a cluster."""

    type: Literal["feature_repo.online.feast_store.VitrineRedisOnlineStore"] = STORE_TYPE

    @model_validator(mode="before")
    @classmethod
    def _of_the_running_stack(cls, values: Any) -> Any:
        if not isinstance(values, dict) or "connection_string" in values:
            return values
        return RedisUrl.parse(Settings.from_environment().redis_url).feast_options | values


class VitrineRedisOnlineStore(RedisOnlineStore):
    """``RedisOnlineStore``, unchanged."""
