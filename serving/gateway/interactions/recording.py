"""RecordInteractions: what shoppers did, as events of the topic ``interactions``."""

from __future__ import annotations

import uuid
from collections.abc import Container, Iterable
from datetime import UTC, datetime

from feature_repo.events.rules import (
    INTERACTION_KINDS,
    LONGEST_ID_BYTES,
    WALL_SKEW_US,
    BadEventError,
    checked_interaction,
)
from infra.base.calendar import epoch_micros
from serving.gateway.interactions.impressions import instant_text
from serving.gateway.interactions.interaction_log import Event
from serving.gateway.requests import InvalidRequest, check_length
from serving.proto import recommender_pb2 as pb

MOST_INTERACTIONS = 500
_KINDS = {pb.Interaction.Kind.Value(kind.upper()): kind for kind in INTERACTION_KINDS}
# Less than the streaming worker allows: its clock may be behind this machine's.
_AHEAD_US = WALL_SKEW_US // 2


def interaction_events(
    interactions: Iterable[pb.Interaction], now: datetime, wall: datetime, known_articles: Container[str]
) -> list[Event]:
    """Check interactions by the streaming worker's own rule and make the events of them.

    Args:
        now: by the gateway's clock, for those that do not tell their time.
        wall: by the machine's clock; nothing is from its future.
        known_articles: all that there are.

    Raises:
        InvalidRequest: says which interaction to change, and how.
    """
    latest_us = epoch_micros(wall) + _AHEAD_US
    events = []
    for place, interaction in enumerate(interactions):
        event = _event(place, interaction, now)
        try:
            checked_interaction(event, known_articles, latest_us)
        except BadEventError as error:
            raise InvalidRequest(f"interactions[{place}]: {error}") from None
        events.append(event)
    if not 1 <= len(events) <= MOST_INTERACTIONS:
        raise InvalidRequest(f"interactions holds {len(events)}; give 1 to {MOST_INTERACTIONS} a call")
    return events


def _event(place: int, interaction: pb.Interaction, now: datetime) -> Event:
    check_length(f"interactions[{place}].request_id", interaction.request_id, LONGEST_ID_BYTES)
    if interaction.kind not in _KINDS:
        raise InvalidRequest(
            f"interactions[{place}].kind is {_kind_name(interaction.kind)}; give IMPRESSION, CLICK or CART"
        )
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


def _kind_name(kind: int) -> str:
    return "not set" if kind == pb.Interaction.KIND_UNSPECIFIED else f"{kind}, which is none"
