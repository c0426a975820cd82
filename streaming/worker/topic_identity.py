"""Whether the topics are still those that Redis and the event log know.

A topic that was deleted and made anew has the old name and begins at offset 0 again: its events would be taken for such
that were applied long ago. But Kafka gives every topic an id of its own, which Redis and the event log keep.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from feature_repo.contracts import TOPIC_IDS_KEY, TRANSACTIONS
from feature_repo.online.redis_pipe import Pipe
from infra.base.errors import UserError
from streaming.log.event_log import EventLog


class TopicIdentity:
    """Compares the ids that the consumer meets with those that were met before.

    Args:
        consumer: a ``kafka.KafkaConsumer`` of the topics.
        logs: topic to its event log.
    """

    def __init__(self, consumer: Any, logs: Mapping[str, EventLog]) -> None:
        # The client learns the ids with every answer about the cluster, and before it reads from a new topic.
        self._cluster = consumer._client.cluster
        self._logs = logs
        self._met: dict[str, str] = {}

    def met(self, topic: str) -> str:
        """The id of a topic; nothing from a broker that gives none."""
        return str(self._cluster.topic_id(topic) or "")

    def check(self, pipe: Pipe) -> None:
        """To be asked before what was polled is applied; costs nothing while the ids stay.

        Raises:
            UserError: a topic was made anew.
        """
        for topic, event_log in self._logs.items():
            met = self._cluster.topic_id(topic)
            if met is None or self._met.get(topic) == str(met):
                continue  # deleted just now, or a broker that gives no ids; or nothing new
            if event_log.topic_id(str(met)) != str(met):
                raise made_anew(topic, "the event log is of another topic of that name", event_log.folder)
            if topic == TRANSACTIONS and _applied_of(pipe, topic, str(met)) != str(met):
                raise made_anew(topic, "the online store is of another topic of that name", event_log.folder)
            self._met[topic] = str(met)


def made_anew(topic: str, why: str, folder: Path) -> UserError:
    """The error that tells what to do about a new topic under an old name."""
    remedy = f"move {folder} away if its events are not wanted"
    if topic == TRANSACTIONS:
        remedy += ", empty Redis, and run `vitrine stream --bootstrap`"
    return UserError(f"topic {topic}: {why}: the topic was made anew; {remedy}")


def _applied_of(pipe: Pipe, topic: str, met: str) -> str:
    """The id of the topic that is applied to Redis; from now on this one if none is known."""
    pipe.call(b"HSETNX", TOPIC_IDS_KEY, topic.encode(), met.encode())
    known: bytes = pipe.call(b"HGET", TOPIC_IDS_KEY, topic.encode())
    return known.decode()
