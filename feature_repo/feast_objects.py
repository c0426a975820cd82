"""Makes Feast's objects from ``schema``: entities, sources, feature views and feature services."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

from feast import Entity, FeatureService, FeatureView, Field, FileSource, KafkaSource, PushSource, ValueType
from feast.data_format import JsonFormat
from feast.data_source import DataSource
from feast.types import Array, Bool, Float32, Float64, Int64, String

from feature_repo.contracts import TRANSACTIONS
from feature_repo.schema import ARTICLE_AVAILABILITY, ARTICLE_IMAGE, ENTITIES, VIEWS, Kind, View
from feature_repo.stream_views import StreamFeatureView
from infra.base.settings import Settings

# Feast says so at every use; what Vitrine needs of them its tests hold.
warnings.filterwarnings("ignore", "Stream feature views are experimental", RuntimeWarning)

OWNER = "recommendations@vitrine.example"
TAGS = {"team": "recommendations"}

FEAST_TYPES = {
    Kind.STRING: String,
    Kind.INT64: Int64,
    Kind.FLOAT64: Float64,
    Kind.BOOL: Bool,
    Kind.STRINGS: Array(String),
    Kind.INT64S: Array(Int64),
    Kind.FLOAT32S: Array(Float32),
}

TRANSACTION_JSON = (
    "event_id string, occurred_at timestamp, customer_id string, article_id string, price double, sales_channel_id int"
)

SERVICES = {
    "towers": ("What the query and the candidate tower are trained on.", VIEWS[:-1]),
    "ranker": (
        "What the ranker is trained on: everything but pictures.",
        tuple(view for view in VIEWS if view not in (ARTICLE_IMAGE, ARTICLE_AVAILABILITY)),
    ),
    "online": ("What the gateway reads; articles can be out of stock.", VIEWS),
}


@dataclass(frozen=True)
class Definitions:
    """All of Vitrine's Feast objects, by name."""

    entities: dict[str, Entity]
    sources: dict[str, DataSource]
    views: dict[str, FeatureView]
    services: dict[str, FeatureService]

    def all(self) -> list[Any]:
        """In the order in which Feast applies them."""
        groups: tuple[dict[str, Any], ...] = (self.entities, self.sources, self.views, self.services)
        return [definition for group in groups for definition in group.values()]


def define(settings: Settings) -> Definitions:
    """Make the Feast objects for the folders and the Kafka of ``settings``."""
    entities = {
        name: Entity(
            name=name,
            join_keys=[join_key],
            value_type=ValueType.STRING,
            description=description,
            owner=OWNER,
            tags=TAGS,
        )
        for name, (join_key, description) in ENTITIES.items()
    }
    sources = {view.name: _source(view, settings) for view in VIEWS}
    views = {view.name: _feature_view(view, entities[view.entity], sources[view.name]) for view in VIEWS}
    services = {
        name: FeatureService(
            name=name, features=[views[view.name] for view in members], description=description, owner=OWNER, tags=TAGS
        )
        for name, (description, members) in SERVICES.items()
    }
    return Definitions(entities, sources, views, services)


def _source(view: View, settings: Settings) -> DataSource:
    """The offline table, behind Kafka's topic for a streamed view and behind pushes for a pushed one."""
    batch = FileSource(
        name=f"{view.name}_table",
        path=str(settings.offline_dir / f"{view.name}.parquet"),
        timestamp_field="event_timestamp",
        description=f"Offline table of {view.name}, written by `vitrine features`.",
        owner=OWNER,
        tags=TAGS,
    )
    if view.source == "stream":
        return KafkaSource(
            name=f"{view.name}_stream",
            timestamp_field="occurred_at",
            message_format=JsonFormat(schema_json=TRANSACTION_JSON),
            kafka_bootstrap_servers=settings.kafka_bootstrap_servers,
            topic=TRANSACTIONS,
            batch_source=batch,
            description=f"Purchases that `vitrine stream` folds into {view.name}.",
            owner=OWNER,
            tags=TAGS,
        )
    if view.source == "push":
        return PushSource(
            name=f"{view.name}_push",
            batch_source=batch,
            description=f"Pushed values of {view.name}.",
            owner=OWNER,
            tags=TAGS,
        )
    return batch


def _feature_view(view: View, entity: Entity, source: DataSource) -> FeatureView:
    kind: Callable[..., FeatureView] = FeatureView
    if view.source == "stream":  # mode and udf as the registry's copy has them: else each apply takes it for changed
        kind = partial(StreamFeatureView, mode="python", udf_string=None)
    join_key = Field(name=entity.join_key, dtype=String, description=entity.description)
    features = [
        Field(name=feature.name, dtype=FEAST_TYPES[feature.kind], description=feature.description)
        for feature in view.features
    ]
    return kind(
        name=view.name,
        entities=[entity],
        ttl=timedelta(days=view.ttl_days),
        schema=[join_key, *features],
        source=source,
        online=True,
        description=view.description,
        owner=OWNER,
        tags={**TAGS, "source": view.source},
    )
