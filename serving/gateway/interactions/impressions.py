"""Stage 8: what was shown, as events of the topic ``interactions``."""

from __future__ import annotations

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
    """One event an article; asked again with the same request id, the same event ids, so that retries count once."""
    occurred_at = instant_text(now)
    return [
        {
            "event_id": f"{request.request_id}-{position}",
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
