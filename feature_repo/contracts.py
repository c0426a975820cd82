"""What processes agree on beside Feast's format: Kafka's topics, Vitrine's own keys in the online store, the trend.

Whoever writes one and whoever reads it import the name from here.
"""

from __future__ import annotations

from typing import Any

from feature_repo.schema import WEEK_DAYS, WINDOW_DAYS

TRANSACTIONS, INTERACTIONS, AVAILABILITY = "transactions", "interactions", "availability"
TOPICS = (TRANSACTIONS, INTERACTIONS, AVAILABILITY)


def dead_letter_topic(topic: str) -> str:
    """Where the events of ``topic`` go that cannot be used."""
    return f"{topic}.dead-letter"


EVENT_CLOCK_KEY = b"vitrine:event-clock"
"""The watermark as text, ISO 8601: "now" of historic data."""
ARTICLE_CHANGES_KEY = b"vitrine:article-changes"
"""A Redis stream of the articles whose live features have changed."""
WATERMARKS_KEY = b"vitrine:watermarks"
"""By partition how far its purchases are, for the other workers."""
BOOTSTRAPPING_KEY = b"vitrine:bootstrapping"
"""There while a bootstrap is under way."""
BOOTSTRAPPED_KEY = b"vitrine:bootstrapped"
"""The name of the last bootstrap."""
TOPIC_IDS_KEY = b"vitrine:topic-ids"
"""By topic the id of the one that was read, so that one made anew is noticed."""
SWEPT_KEY = b"vitrine:swept"
"""By shard the day up to which windows have been brought forward."""
WORKER_KEY = "vitrine:worker:"
"""Prefix: what each worker has counted."""


def trend(units_7d: Any, units: Any) -> Any:
    """Daily units of the last week against those of the window; smoothed, so 1 for an article without sales.

    ((units_7d + 1) / 7) / ((units + 30/7) / 30) as one division of integers: batch and stream agree to the bit, whether
    these are numbers, numpy columns or Ibis columns.
    """
    return (units_7d + 1) * WINDOW_DAYS / (units * WEEK_DAYS + WINDOW_DAYS)
