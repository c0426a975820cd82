"""Events as rows of the event log, in the order of its columns."""

from __future__ import annotations

from operator import itemgetter

from feature_repo.events.purchase import Purchase
from feature_repo.events.rules import Availability, Interaction
from infra.base.calendar import DAY_MICROS
from streaming.log.event_log import Row

_PURCHASE_FIELDS = (
    "event_id",
    "occurred_at_us",
    "day",
    "customer_id",
    "article_id",
    "price_micros",
    "sales_channel_id",
)
_purchase_row = itemgetter(*map(Purchase._fields.index, _PURCHASE_FIELDS))


def purchase_row(purchase: Purchase) -> Row:
    row: Row = _purchase_row(purchase)
    return row


def availability_row(event: Availability) -> Row:
    return event.event_id, event.occurred_at_us, event.occurred_at_us // DAY_MICROS, event.article_id, event.in_stock


def interaction_row(event: Interaction) -> Row:
    return (
        event.event_id,
        event.occurred_at_us,
        event.occurred_at_us // DAY_MICROS,
        event.customer_id,
        event.kind,
        event.article_id,
        event.request_id,
        event.release,
        event.position,
    )
