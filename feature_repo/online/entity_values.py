"""The features of one customer or article, from one HMGET of its hash.

Callers fetch the fields themselves, blocking or with asyncio, so that one round trip serves all views::

    views = (CUSTOMER_PROFILE, CUSTOMER_HISTORY)
    raw = await redis.hmget(entity_key("customer", customer_id), fields_of(views))
    values = parse(customer_id, views, raw, now)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from feature_repo.online.format import decode_timestamp, decode_timestamp_micros, decode_value, is_expired
from feature_repo.online.keys import fields_of_views
from feature_repo.schema import VIEWS, View
from infra.base.calendar import epoch_micros

_VIEW_BY_NAME = {view.name: view for view in VIEWS}


@dataclass(frozen=True)
class EntityValues:
    """What the online store knows about one entity at one instant.

    Attributes:
        entity_id: customer or article id.
        values: ``view:feature`` to int, float, str, bool, list of str or int, float32 array, or None if missing. A view
            that is not stored or has outlived its time to live has no entry at all.
        event_times: view name to the instant its values speak of, for the views present.
    """

    entity_id: str
    values: dict[str, Any]
    event_times: dict[str, datetime]

    def get(self, view: str, feature: str, default: Any = None) -> Any:
        """One value; ``default`` where it is missing or its view is absent."""
        value = self.values.get(f"{view}:{feature}")
        return default if value is None else value


def fields_of(views: Sequence[View]) -> list[bytes]:
    """The hash fields to fetch for these views, in the order that ``parse`` expects."""
    return list(_plan(tuple([view.name for view in views])).fields)


def parse(entity_id: str, views: Sequence[View], raw: Sequence[bytes | None], now: datetime) -> EntityValues:
    """Decode the reply to an HMGET of ``fields_of(views)``.

    Values older than their view's time to live at ``now`` are left out: Feast stores them but does not check
    (https://github.com/feast-dev/feast/issues/6821).

    Raises:
        ValueError: the reply has another length than the fields, or a value is malformed.
    """
    plan = _plan(tuple([view.name for view in views]))
    if len(raw) != len(plan.fields):
        raise ValueError(f"{len(raw)} values for {len(plan.fields)} fields of {[view.name for view in views]}")
    values: dict[str, Any] = {}
    event_times: dict[str, datetime] = {}
    clock_micros = epoch_micros(now)
    for view_name, ttl_days, begin, end, references in plan.views:
        stamp = raw[end]
        if stamp is None or (ttl_days and is_expired(decode_timestamp_micros(stamp), ttl_days, clock_micros)):
            continue
        event_times[view_name] = decode_timestamp(stamp)
        for reference, data in zip(references, raw[begin:end], strict=True):
            values[reference] = decode_value(data) if data else None
    return EntityValues(entity_id, values, event_times)


@dataclass(frozen=True)
class _Plan:
    fields: tuple[bytes, ...]
    views: tuple[tuple[str, int, int, int, tuple[str, ...]], ...]  # name, ttl in days, first and end field, references


@lru_cache(maxsize=256)
def _plan(view_names: tuple[str, ...]) -> _Plan:
    views = [_VIEW_BY_NAME[name] for name in view_names]
    spans, begin = [], 0
    for view in views:
        end = begin + len(view.features)
        spans.append((view.name, view.ttl_days, begin, end, tuple(view.references())))
        begin = end + 1
    return _Plan(tuple(fields_of_views(views)), tuple(spans))
