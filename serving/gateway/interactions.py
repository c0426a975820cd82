"""RecordInteractions: what shoppers did, as events of the topic ``interactions``."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime

from serving.gateway.event_log import Event
from serving.gateway.impressions import instant_text
from serving.gateway.requests import LONGEST_ID_BYTES, InvalidRequest, check_length
from serving.proto import recommender_pb2 as pb

MOST_INTERACTIONS = 500
_KINDS = {pb.Interaction.IMPRESSION: "impression", pb.Interaction.CLICK: "click", pb.Interaction.CART: "cart"}


def interaction_events(interactions: Iterable[pb.Interaction], now: datetime) -> list[Event]:
    """Check interactions and make the events of them.

    Raises:
        InvalidRequest: says which interaction to change, and how.
    """
    events = [_event(place, interaction, now) for place, interaction in enumerate(interactions)]
    if not 1 <= len(events) <= MOST_INTERACTIONS:
        raise InvalidRequest(f"interactions holds {len(events)}; give 1 to {MOST_INTERACTIONS} a call")
    return events


def _event(place: int, interaction: pb.Interaction, now: datetime) -> Event:
    for name in ("customer_id", "article_id"):
        if not getattr(interaction, name):
            raise InvalidRequest(f"interactions[{place}].{name} is empty; give the id")
    for name in ("event_id", "customer_id", "article_id", "request_id"):
        check_length(f"interactions[{place}].{name}", getattr(interaction, name), LONGEST_ID_BYTES)
    if interaction.kind not in _KINDS:
        raise InvalidRequest(f"interactions[{place}].kind is not set; give IMPRESSION, CLICK or CART")
    occurred_at = now
    if interaction.HasField("occurred_at"):
        try:
            occurred_at = interaction.occurred_at.ToDatetime(UTC)
        except (ValueError, OverflowError) as error:
            raise InvalidRequest(f"interactions[{place}].occurred_at is no instant: {error}") from None
    return {
        "event_id": interaction.event_id or uuid.uuid4().hex,
        "occurred_at": instant_text(occurred_at),
        "customer_id": interaction.customer_id,
        "kind": _KINDS[interaction.kind],
        "article_id": interaction.article_id,
        "request_id": interaction.request_id,
        "release": interaction.release,
        "position": interaction.position,
    }
