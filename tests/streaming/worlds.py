"""Tiny shops for the streaming tests: purchases by hand, and the windows they must give, by brute force."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from redis.cluster import RedisCluster

from feature_repo.contracts import TRANSACTIONS
from feature_repo.events.purchase import Purchase, buyer_digest
from feature_repo.online.entity_values import fields_of, parse
from feature_repo.online.keys import entity_key
from feature_repo.schema import ARTICLE_ACTIVITY_30D, CUSTOMER_ACTIVITY_30D
from infra.base.calendar import DAY_MICROS
from streaming.store.checkpoints import checkpoint_keys, least

DAY = 18_525  # 2020-09-20
_LONG_AGO = datetime(1970, 1, 2, tzinfo=UTC)  # at which nothing has outlived its time to live


def purchase(
    customer_id: str,
    article_id: str,
    day: int = DAY,
    *,
    at_us: int = 0,
    price_micros: int = 10_000,
    channel: int = 2,
    event_id: str | None = None,
    partition: int = 0,
    offset: int = 0,
) -> Purchase:
    """One purchase; what a test does not care about is filled in."""
    return Purchase(
        event_id or f"{partition}-{offset}",
        day * DAY_MICROS + at_us,
        day,
        customer_id,
        buyer_digest(customer_id),
        article_id,
        price_micros,
        channel,
        partition,
        offset,
    )


def customer_features(purchases: Iterable[Purchase], customer_id: str, day: int) -> dict[str, Any]:
    """The features of ``customer_activity_30d`` straight from their description."""
    window = [p for p in _unique(purchases) if p.customer_id == customer_id and day - 30 < p.day <= day]
    newest_first = sorted(window, key=lambda p: (p.occurred_at_us, p.event_id), reverse=True)[:20]
    spend = sum(p.price_micros for p in window)
    return {
        "purchases": len(window),
        "spend_micros": spend,
        "distinct_articles": len({p.article_id for p in window}),
        "active_days": len({p.day for p in window}),
        "mean_price_micros": spend / len(window) if window else None,
        "online_share": sum(p.sales_channel_id == 2 for p in window) / len(window) if window else None,
        "last_purchase_at": max((p.occurred_at_us for p in window), default=None),
        "articles": [p.article_id for p in newest_first],
        "articles_at": [p.occurred_at_us for p in newest_first],
    }


def article_features(purchases: Iterable[Purchase], article_id: str, day: int) -> dict[str, Any]:
    """The features of ``article_activity_30d`` straight from their description."""
    window = [p for p in _unique(purchases) if p.article_id == article_id and day - 30 < p.day <= day]
    units_7d = sum(p.day > day - 7 for p in window)
    return {
        "units": len(window),
        "distinct_customers": len({p.customer_id for p in window}),
        "units_7d": units_7d,
        "units_3d": sum(p.day > day - 3 for p in window),
        "trend": (units_7d + 1) * 30 / (len(window) * 7 + 30),
        "mean_price_micros": sum(p.price_micros for p in window) / len(window) if window else None,
        "last_sale_at": max((p.occurred_at_us for p in window), default=None),
    }


def stored_features(client: Any, entity: str, entity_id: str) -> dict[str, Any]:
    """What the online store holds of the entity's stream view, whatever its age; {} if nothing."""
    return many_stored_features(client, entity, [entity_id])[entity_id]


def many_stored_features(client: Any, entity: str, entity_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """``stored_features`` of many entities, fast."""
    view = CUSTOMER_ACTIVITY_30D if entity == "customer" else ARTICLE_ACTIVITY_30D
    found: dict[str, dict[str, Any]] = {}
    for start in range(0, len(entity_ids), 1_000):
        chunk = entity_ids[start : start + 1_000]
        pipeline = client.pipeline(transaction=False)
        for entity_id in chunk:
            pipeline.hmget(entity_key(entity, entity_id), fields_of([view]))
        for entity_id, raw in zip(chunk, pipeline.execute(), strict=True):
            values = parse(entity_id, [view], raw, _LONG_AGO).values
            found[entity_id] = {reference.split(":")[1]: value for reference, value in values.items()}
    return found


def applied_offsets(client: Any) -> dict[int, int]:
    """Partition of ``transactions`` to the next offset to apply, as one Redis or all of a cluster vouch for it."""
    marks = [client.hgetall(key) for key in checkpoint_keys(TRANSACTIONS, isinstance(client, RedisCluster))]
    return least([{int(partition): int(offset) for partition, offset in mark.items()} for mark in marks])


def _unique(purchases: Iterable[Purchase]) -> list[Purchase]:
    """The first of each customer's event ids."""
    seen: dict[tuple[str, str], Purchase] = {}
    for p in purchases:
        seen.setdefault((p.customer_id, p.event_id), p)
    return list(seen.values())
