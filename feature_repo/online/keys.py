"""Where Feast's Redis store keeps a value: the key of an entity's hash, and the fields in it.

One Redis hash per entity holds all views. Its key is the entity key (serialization version 3) followed by the project's
name; a feature's field is four bytes of a hash of ``view:feature``, a view's event time sits in ``_ts:<view>``.
Source: https://github.com/feast-dev/feast/blob/master/docs/specs/online_store_format.md.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from functools import cache

import mmh3

from feature_repo.schema import ENTITIES, PROJECT, VIEWS, View

_STRING_TYPE = 2  # ValueType.STRING, in entity keys


def entity_key(entity: str, entity_id: str) -> bytes:
    """The Redis key of one ``customer`` or ``article``; all its views live in this hash."""
    encoded = entity_id.encode()
    return _key_prefix(entity) + struct.pack("<I", len(encoded)) + encoded + PROJECT.encode()


@cache
def _key_prefix(entity: str) -> bytes:
    join_key = ENTITIES[entity][0].encode()
    return struct.pack("<III", 1, _STRING_TYPE, len(join_key)) + join_key + struct.pack("<I", _STRING_TYPE)


@cache
def feature_field(view: str, feature: str) -> bytes:
    """The hash field of one feature: 4 bytes."""
    return struct.pack("<I", mmh3.hash(f"{view}:{feature}", signed=False))


@cache
def timestamp_field(view: str) -> bytes:
    """The hash field of a view's event time."""
    return f"_ts:{view}".encode()


def check_collisions(views: Iterable[View]) -> None:
    """Make sure that no two features of one entity share a hash field, for one would silently overwrite the other.

    Raises:
        ValueError: two features collide; renaming either of them is the way out.
    """
    seen: dict[tuple[str, bytes], str] = {}
    for view in views:
        for feature in view.features:
            reference = f"{view.name}:{feature.name}"
            other = seen.setdefault((view.entity, feature_field(view.name, feature.name)), reference)
            if other != reference:
                raise ValueError(
                    f"features {other!r} and {reference!r} of entity {view.entity!r} share the 32-bit Redis field "
                    f"{feature_field(view.name, feature.name).hex()}; rename one of them in feature_repo/schema.py"
                )


check_collisions(VIEWS)


def fields_of_views(views: Sequence[View]) -> list[bytes]:
    """The hash fields of the views' features and event times: each view's features in order, then its event time."""
    fields = []
    for view in views:
        fields += [feature_field(view.name, feature.name) for feature in view.features]
        fields.append(timestamp_field(view.name))
    return fields
