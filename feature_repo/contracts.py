"""What processes agree on beside Feast's format: Kafka's topics, and Vitrine's own keys in the online store.

Whoever writes one and whoever reads it import the name from here.
"""

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
