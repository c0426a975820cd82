"""Opens Feast's feature store for given settings, with Vitrine's definitions applied."""

from __future__ import annotations

from feast import FeatureStore, FeatureView, RepoConfig
from feast.errors import FeastObjectNotFoundException

from feature_repo.feast_objects import Definitions, define
from feature_repo.online import feast_store
from feature_repo.provider import PROVIDER
from feature_repo.registry_store import STORE_TYPE as REGISTRY_STORE_TYPE
from feature_repo.schema import PROJECT
from infra.base.settings import Settings


def open_store(settings: Settings) -> FeatureStore:
    """The feature store over ``settings``' offline tables, registry and Redis. Redis is connected when it is used.

    The definitions are applied if the registry does not hold them as they stand, so that a new folder works at once.
    """
    store = FeatureStore(
        config=RepoConfig(
            project=PROJECT,
            provider=PROVIDER,
            registry={
                "registry_type": "file",
                "registry_store_type": REGISTRY_STORE_TYPE,
                "path": str(settings.registry_path),
            },
            entity_key_serialization_version=3,
            offline_store={"type": "duckdb"},
            online_store={"type": feast_store.STORE_TYPE, "redis_url": settings.redis_url},
        )
    )
    definitions = define(settings)
    if not _are_applied(store, definitions):
        store.apply(definitions.all())
    return store


def apply(settings: Settings) -> None:
    """Register the definitions for ``settings``; repeating it changes nothing."""
    open_store(settings)


def _are_applied(store: FeatureStore, definitions: Definitions) -> bool:
    try:
        return (
            all(store.get_entity(name) == entity for name, entity in definitions.entities.items())
            and all(store.get_data_source(source.name) == source for source in definitions.sources.values())
            and all(store.get_feature_service(name) == service for name, service in definitions.services.items())
            and all(_is_applied(store, view) for view in definitions.views.values())
        )
    except FeastObjectNotFoundException:
        return False


def _is_applied(store: FeatureStore, view: FeatureView) -> bool:
    """Whether the registry's copy is the view, but for what has been loaded of it."""
    registered = store.registry.get_any_feature_view(view.name, PROJECT)
    view.update_materialization_intervals(registered.materialization_intervals)
    return bool(registered == view)
