"""Divides every topic evenly among the workers, each topic by itself.

Kafka's sticky assignors balance the number of partitions over all topics, and so may give one worker all partitions of
``transactions`` and another all of ``interactions``: evenly many, but not evenly much to do.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.protocol.consumer.metadata import ConsumerProtocolAssignment


class TopicwiseStickyAssignor(CooperativeStickyAssignor):
    """Cooperative-sticky (KIP-429), once per topic."""

    def assign(self, cluster: Any, members: Sequence[Any]) -> dict[str, Any]:
        """What each member shall own; what moves is first taken from its owner and given away in the next round.

        Args:
            cluster: knows the topics' partitions.
            members: with ``member_id`` and their subscription as ``metadata``.

        Returns:
            Member id to its assignment.
        """
        partitions: dict[str, list[Any]] = {member.member_id: [] for member in members}
        for topic in sorted({topic for member in members for topic in member.metadata.topics}):
            subscribed = [_of_topic(member, topic) for member in members if topic in member.metadata.topics]
            for member_id, assignment in super().assign(cluster, subscribed).items():
                partitions[member_id] += assignment.assigned_partitions
        return {
            member_id: ConsumerProtocolAssignment(self.version, assigned, b"")
            for member_id, assigned in partitions.items()
        }


def _of_topic(member: Any, topic: str) -> SimpleNamespace:
    """The member as if there were no other topic."""
    owned = [of_topic for of_topic in member.metadata.owned_partitions or () if of_topic.topic == topic]
    metadata = SimpleNamespace(
        topics=[topic], owned_partitions=owned, generation_id=member.metadata.generation_id, user_data=b""
    )
    return SimpleNamespace(member_id=member.member_id, metadata=metadata)
