"""Stage 2: what the online store knows of a customer, in one round trip."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from feature_repo.online.entity_values import EntityValues, fields_of, parse
from feature_repo.online.keys import entity_key
from feature_repo.schema import CUSTOMER_ACTIVITY_30D, CUSTOMER_HISTORY, CUSTOMER_PROFILE
from infra.base.calendar import epoch_day
from serving.gateway.stages.last_known import LastKnown
from serving.retrieval.articles import ArticleTable
from serving.retrieval.customer import Customer

VIEWS = (CUSTOMER_PROFILE, CUSTOMER_HISTORY, CUSTOMER_ACTIVITY_30D)
_FIELDS = fields_of(VIEWS)
_REMEMBERED = 10_000  # customers, of some 5 KB


class HashReader(Protocol):
    """What is needed of a Redis client; ``redis.asyncio.Redis`` and ``ClusterReader`` have it."""

    def hmget(self, name: Any, keys: Any, /) -> Any:
        """The fields ``keys`` of the hash ``name``, to be awaited."""


@dataclass(frozen=True)
class Shopper:
    """A customer, and how much is known of them."""

    customer: Customer
    known: bool  # False: the online store holds nothing of them, or is away
    newest: datetime | None  # event time of the newest feature


class CustomerFeatures:
    """Reads the three customer views from Redis."""

    def __init__(self, client: HashReader) -> None:
        self._redis = client
        self._last_known = LastKnown[EntityValues](_REMEMBERED)

    async def read(self, customer_id: str, articles: ArticleTable, now: datetime) -> Shopper:
        """One customer as of ``now``.

        Args:
            articles: of the release that answers; what it does not know is left out of the customer's purchases.

        Raises:
            redis.RedisError: Redis does not answer.
            ValueError: it holds something that Feast did not write.
        """
        raw = await self._redis.hmget(entity_key("customer", customer_id), _FIELDS)
        stored = parse(customer_id, VIEWS, raw, now)
        if stored.event_times:
            self._last_known.put(customer_id, stored)
        return _shopper(customer_id, stored, articles, now)

    def last_known(self, customer_id: str, articles: ArticleTable, now: datetime) -> Shopper | None:
        """One customer as read last, while Redis is away; None of who has not been here lately."""
        stored = self._last_known.get(customer_id)
        return None if stored is None else _shopper(customer_id, stored, articles, now)


def _shopper(customer_id: str, stored: EntityValues, articles: ArticleTable, now: datetime) -> Shopper:
    customer = Customer.from_values(customer_id, stored.values, articles, epoch_day(now))
    return Shopper(customer, bool(stored.event_times), max(stored.event_times.values(), default=None))


def unknown_shopper(customer_id: str, articles: ArticleTable, now: datetime) -> Shopper:
    """Nothing known: of a new customer, or of any while Redis is away."""
    return Shopper(Customer.from_values(customer_id, {}, articles, epoch_day(now)), known=False, newest=None)
