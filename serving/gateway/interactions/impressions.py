"""Stage 8: what was shown, as events of the topic ``interactions``."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from serving.gateway.interactions.interaction_log import Event
from serving.gateway.requests import Request


class Shown(Protocol):
    """An article of an answer."""

    @property
    def article_id(self) -> str: ...


def impressions(request: Request, release: int, articles: Sequence[Shown], now: datetime) -> list[Event]:
    """One event an article.

    Their ids are this answer's own: Kafka's repeats of an event count once, while each answer to a request id that is
    used again was shown by itself.
    """
    occurred_at, answer_id = instant_text(now), uuid.uuid4().hex
    return [
        {
            "event_id": f"{answer_id}-{position}",
            "occurred_at": occurred_at,
            "customer_id": request.customer_id,
            "kind": "impression",
            "article_id": article.article_id,
            "request_id": request.request_id,
            "release": release,
            "position": position,
            "surface": request.surface,
        }
        for position, article in enumerate(articles, start=request.first)
    ]


def instant_text(instant: datetime) -> str:
    """An instant as the events carry it: 2020-09-20T00:00:00.000017Z."""
    return instant.isoformat(timespec="microseconds").replace("+00:00", "Z")
