"""Membership of the consumer group ``vitrine-stream``: partitions come and go without pause for those that stay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

from feature_repo.contracts import TOPICS
from infra.base.errors import UserError
from streaming.unreachable import kafka_unreachable

GROUP = "vitrine-stream"
_FETCH_WAIT_MS = 100


class Rebalance(NamedTuple):
    """Partitions that are ours from now on (``ASSIGNED``), go to another (``REVOKED``), or are another's (``LOST``)."""

    what: str
    partitions: list[Any]


ASSIGNED, REVOKED, LOST = "assigned", "revoked", "lost"


@dataclass(frozen=True)
class Membership:
    """A member of the group.

    Attributes:
        consumer: a ``kafka.KafkaConsumer`` of all topics.
        rebalances: what has changed, oldest first. The client's own thread takes note of it here, maybe while a batch
            is being worked on; whoever polls takes it from here between two batches, for nothing may touch what a
            batch works with. Assigned partitions are paused until then.
    """

    consumer: Any
    rebalances: deque[Rebalance]


def join(bootstrap_servers: str, max_poll_records: int, session_timeout_ms: int) -> Membership:
    """Become a dynamic member of the group (cooperative-sticky, topic by topic); offsets are left to the member.

    Raises:
        UserError: Kafka does not answer or lacks the topics.
    """
    from kafka import KafkaConsumer
    from kafka.consumer.subscription_state import ConsumerRebalanceListener
    from kafka.errors import KafkaError

    from streaming.worker.assignor import TopicwiseStickyAssignor

    rebalances: deque[Rebalance] = deque()

    class Listener(ConsumerRebalanceListener):  # type: ignore[misc]
        def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
            consumer.pause(*assigned)
            rebalances.append(Rebalance(ASSIGNED, list(assigned)))

        def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
            rebalances.append(Rebalance(REVOKED, list(revoked)))

        def on_partitions_lost(self, lost: Iterable[Any]) -> None:
            rebalances.append(Rebalance(LOST, list(lost)))

    try:
        consumer = KafkaConsumer(
            bootstrap_servers=bootstrap_servers,
            group_id=GROUP,
            client_id="vitrine-stream",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            isolation_level="read_committed",
            partition_assignment_strategy=[TopicwiseStickyAssignor],
            max_poll_records=max_poll_records,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
            fetch_max_bytes=50 * 2**20,
            max_partition_fetch_bytes=8 * 2**20,
            session_timeout_ms=session_timeout_ms,
            heartbeat_interval_ms=session_timeout_ms // 4,
            reconnect_backoff_max_ms=500,
            metrics_enabled=False,
            bootstrap_timeout_ms=10_000,
        )
    except KafkaError as error:
        raise kafka_unreachable(bootstrap_servers, error) from error
    missing = set(TOPICS) - consumer.topics()
    if missing:
        consumer.close()
        raise UserError(
            f"Kafka at {bootstrap_servers} has no topics {sorted(missing)}; `vitrine stack start` makes them"
        )
    consumer.subscribe(list(TOPICS), listener=Listener())
    return Membership(consumer, rebalances)
