"""Reads purchases fast: a short cut for events with just the fields that we know, everything else the careful way.

The short cut decodes typed fields with msgspec, and takes only what ``parse_purchase`` would accept, as the same
purchase (a property test compares); whatever it does not take, good or bad, goes to ``parse_purchase``.
"""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Literal

import msgspec

from feature_repo.events.purchase import Purchase, buyer_digest
from feature_repo.events.rules import HIGHEST_PRICE, LONGEST_EVENT_BYTES, LONGEST_ID_BYTES, parse_purchase
from infra.base.calendar import DAY_MICROS, epoch_micros

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_ID_BYTES)]


class _Event(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    event_id: _Id
    occurred_at: str
    customer_id: _Id
    article_id: _Id
    price: Annotated[float, msgspec.Meta(ge=0, le=HIGHEST_PRICE)]
    sales_channel_id: Literal[1, 2]


_decode = msgspec.json.Decoder(_Event).decode
_digest = lru_cache(maxsize=65_536)(buyer_digest)


class PurchaseParser:
    """Reads events of ``transactions``.

    Args:
        known_articles: ids of the catalogue; None takes any.
    """

    def __init__(self, known_articles: Container[str] | None = None) -> None:
        self._known_articles = known_articles

    def parse(self, data: bytes | None, partition: int, offset: int, latest_us: int) -> Purchase:
        """Read one event; nothing occurs later than ``latest_us``, microseconds since 1970-01-01.

        Raises:
            BadEventError: it cannot be used.
        """
        if data and len(data) <= LONGEST_EVENT_BYTES:
            try:
                event = _decode(data)
                occurred_at_us = epoch_micros(datetime.fromisoformat(event.occurred_at))
            except (ValueError, TypeError, OverflowError):  # of which msgspec's errors are
                return parse_purchase(data, partition, offset, self._known_articles, latest_us)
            event_id, customer_id, article_id = event.event_id, event.customer_id, event.article_id
            if (
                0 <= occurred_at_us <= latest_us
                and (self._known_articles is None or article_id in self._known_articles)
                and (event_id + customer_id + article_id).isascii()  # as many bytes as characters
            ):
                return Purchase(
                    event_id,
                    occurred_at_us,
                    occurred_at_us // DAY_MICROS,
                    customer_id,
                    _digest(customer_id),
                    article_id,
                    round(event.price * 1_000_000),
                    event.sales_channel_id,
                    partition,
                    offset,
                )
        return parse_purchase(data, partition, offset, self._known_articles, latest_us)
