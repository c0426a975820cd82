"""Kafka's topics: which there are and how they are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from feature_repo import contracts
from feature_repo.contracts import dead_letter_topic
from infra.base.errors import UserError

EVENT_PARTITIONS = 6
MIB = 2**20
_FOR_EVER = "-1"
_NO_LIMIT_MS = str(2**63 - 1)


@dataclass(frozen=True)
class Topic:
    """How a topic is split, and the largest batch of records that it takes."""

    partitions: int
    max_message_bytes: int = MIB

    def configuration(self) -> dict[str, str]:
        """Records carry the event's own time, which may be years ago, so nothing may depend on a record's age.

        Nothing is deleted by age, segments are not cut by age (else a replay of two years makes a hundred of them in
        each partition), and no time is refused.
        """
        return {
            "retention.ms": _FOR_EVER,
            "segment.ms": _NO_LIMIT_MS,
            "message.timestamp.type": "CreateTime",
            "message.timestamp.before.max.ms": _NO_LIMIT_MS,
            "message.timestamp.after.max.ms": _NO_LIMIT_MS,
            "max.message.bytes": str(self.max_message_bytes),
        }


TOPICS: Mapping[str, Topic] = {
    **{name: Topic(EVENT_PARTITIONS) for name in contracts.TOPICS},
    # A dead letter is the event plus a reason, perhaps in base64: it must fit wherever the event did.
    **{dead_letter_topic(name): Topic(partitions=1, max_message_bytes=2 * MIB) for name in contracts.TOPICS},
}


def create_topics(bootstrap_servers: str, topics: Mapping[str, Topic] = TOPICS) -> list[str]:
    """Create those of ``topics`` that are not there and wait until they have leaders; existing ones stay as they are.

    Returns:
        The names of the topics created.

    Raises:
        UserError: Kafka does not answer or refuses.
    """
    from kafka.admin import KafkaAdminClient
    from kafka.errors import KafkaError, TopicAlreadyExistsError

    try:
        admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers, bootstrap_timeout_ms=10_000)
        try:
            existing = set(admin.list_topics())
            created = []
            for name, topic in topics.items():
                if name in existing:
                    continue
                wanted = {name: {"num_partitions": topic.partitions, "configs": topic.configuration()}}
                try:
                    admin.create_topics(wanted, wait_for_metadata=True)
                    created.append(name)
                except TopicAlreadyExistsError:
                    continue  # someone else was faster
            return created
        finally:
            admin.close()
    except KafkaError as error:
        raise UserError(
            f"topics could not be created on Kafka at {bootstrap_servers} ({type(error).__name__}: {error}); "
            "is it running and does VITRINE_KAFKA_BOOTSTRAP_SERVERS point at it?"
        ) from error
