"""What to tell a user whose Kafka or Redis does not answer."""

from __future__ import annotations

from infra.base.errors import UserError
from infra.base.redis_url import RedisUrl


def kafka_unreachable(bootstrap_servers: str, error: Exception) -> UserError:
    """The error to raise from the Kafka client's own."""
    return UserError(
        f"Kafka at {bootstrap_servers} does not answer ({type(error).__name__}); "
        "is it running and does VITRINE_KAFKA_BOOTSTRAP_SERVERS point at it?"
    )


def redis_unreachable(url: str, error: Exception) -> UserError:
    """The error to raise from the Redis client's own."""
    place = RedisUrl.parse(url)
    if not place.is_cluster and str(error).startswith("MOVED"):
        return UserError(
            f"Redis at {place} is a node of a Redis Cluster; write VITRINE_REDIS_URL as redis+cluster://..."
        )
    return UserError(
        f"Redis at {place} does not answer ({error}); is it running and does VITRINE_REDIS_URL point at it?"
    )
