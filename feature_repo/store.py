"""Opens Feast's feature store for given settings, with Vitrine's definitions applied."""

from __future__ import annotations

from feast import FeatureStore, RepoConfig

from feature_repo.definitions import define
from feature_repo.online.feast_store import STORE_TYPE, connection_string
from feature_repo.schema import PROJECT
from infra.settings import Settings


def open_store(settings: Settings) -> FeatureStore:
    """The feature store over ``settings``' offline tables, registry and Redis. Nothing is connected before it is used.

    Definitions are applied if the registry does not hold them as they stand, so that a new folder works at once.
    """
    store = FeatureStore(
        config=RepoConfig(
            project=PROJECT,
            provider="local",
            registry=str(settings.registry_path),
            entity_key_serialization_version=3,
            offline_store={"type": "duckdb"},
            online_store={"type": STORE_TYPE, "connection_string": connection_string(settings.redis_url)},
        )
    )
    apply(store, settings)
    return store


def apply(store: FeatureStore, settings: Settings) -> None:
    """Register the definitions for ``settings``; repeating it changes nothing."""
    settings.var_dir.mkdir(parents=True, exist_ok=True)
    store.apply(define(settings).all())
