"""Feast as it is installed, on what we have registered and written: it must read it all."""

from __future__ import annotations

from feast import FeatureStore, RepoConfig

from feature_repo.store import open_store
from infra.base.addresses import join_address
from infra.base.redis_url import RedisUrl
from infra.base.settings import Settings


def stock_feast(settings: Settings) -> FeatureStore:
    """Feast with nothing of ours but the registry."""
    url = RedisUrl.parse(settings.redis_url)
    open_store(settings)  # which registers the definitions
    return FeatureStore(
        config=RepoConfig(
            project="vitrine",
            provider="local",
            registry=str(settings.registry_path),
            entity_key_serialization_version=3,
            offline_store={"type": "duckdb"},
            online_store={
                "type": "redis",
                "redis_type": "redis_cluster" if url.is_cluster else "redis",
                "connection_string": ",".join(join_address(*address) for address in url.addresses),
            },
        )
    )
