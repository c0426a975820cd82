"""Events as rows of the event log, in the order of its columns."""

from __future__ import annotations

from streaming.event_log import Row
from streaming.events import Availability, Interaction
from streaming.purchase import DAY_MICROS, Purchase


def purchase_row(purchase: Purchase) -> Row:
    return (
        purchase.event_id,
        purchase.occurred_at_us,
        purchase.day,
        purchase.customer_id,
        purchase.article_id,
        purchase.price_micros,
        purchase.sales_channel_id,
    )


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
