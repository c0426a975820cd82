"""The partitions that a worker reads: where each goes on, and the event log that its rows wait for.

Where to go on is what Redis has applied and the log holds, whichever is behind; never what is committed to Kafka.
Interactions are only logged.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from feature_repo.contracts import AVAILABILITY, INTERACTIONS, TRANSACTIONS
from streaming.log.event_log import (
    AVAILABILITY_COLUMNS,
    INTERACTION_COLUMNS,
    PURCHASE_COLUMNS,
    EventLog,
    PartitionLog,
    Row,
)
from streaming.worker.topic_identity import made_anew

log = logging.getLogger("vitrine.stream")

_COLUMNS = {TRANSACTIONS: PURCHASE_COLUMNS, INTERACTIONS: INTERACTION_COLUMNS, AVAILABILITY: AVAILABILITY_COLUMNS}
_APPLIED = (TRANSACTIONS, AVAILABILITY)
_PATIENCE_SECONDS = 15.0


class AssignedPartitions:
    """Partitions (``kafka.TopicPartition``) come by ``assign``, are read from ``position`` on, and go by ``forget``.

    Args:
        consumer: the member's ``kafka.KafkaConsumer``.
        event_log_dir: holds one log per topic.

    Attributes:
        logs: topic to its event log.
        next_offsets: partition to the next offset to apply; without those that are not positioned yet.
    """

    def __init__(self, consumer: Any, event_log_dir: Path) -> None:
        self._consumer = consumer
        self.logs = {topic: EventLog(event_log_dir / topic, columns) for topic, columns in _COLUMNS.items()}
        self._partition_logs: dict[Any, PartitionLog] = {}
        self.next_offsets: dict[Any, int] = {}
        self._unpositioned: list[Any] = []
        self._rows_wait_since: dict[Any, float] = {}
        self._short_since: dict[Any, float] = {}

    def __contains__(self, partition: object) -> bool:
        return partition in self._partition_logs

    @property
    def of_purchases(self) -> list[int]:
        """Numbers of the partitions of ``transactions``."""
        return [partition.partition for partition in self.next_offsets if partition.topic == TRANSACTIONS]

    # --- coming and going ---

    def assign(self, partitions: Iterable[Any]) -> None:
        """Take note of partitions that are ours, and paused, from now on."""
        self._unpositioned += partitions

    def forget(self, partitions: Iterable[Any]) -> None:
        """Take note of partitions that are another's from now on."""
        for partition in partitions:
            self._partition_logs.pop(partition, None)
            self._rows_wait_since.pop(partition, None)
            self.next_offsets.pop(partition, None)
            if partition in self._unpositioned:
                self._unpositioned.remove(partition)

    def position(self, applied: Callable[[str], Mapping[int, int]]) -> list[Any]:
        """Start reading what was assigned; returns the partitions that are read from now on.

        Args:
            applied: asks Redis how far each partition of a topic, purchases or stock, is applied.

        Raises:
            UserError: a topic is shorter than what was read of it before.
        """
        partitions = [p for p in self._unpositioned if p in self._consumer.assignment()]
        if not partitions:
            return []
        first_offsets = self._consumer.beginning_offsets(partitions)
        end_offsets = self._consumer.end_offsets(partitions)
        positions = {topic: applied(topic) for topic in _APPLIED}
        positioned = []
        for partition in partitions:
            logged = self.logs[partition.topic].position(partition.partition)
            position = positions[partition.topic].get(partition.partition) if partition.topic in _APPLIED else logged
            if self._is_whole(partition, end_offsets[partition], position, logged):
                self._go_to(partition, first_offsets[partition], position, logged)
                positioned.append(partition)
        self._unpositioned = [partition for partition in self._unpositioned if partition not in positioned]
        return positioned

    def recover(self, applied: Callable[[str], Mapping[int, int]]) -> None:
        """Read on from what Redis still holds after it has lost its last moments, or everything."""
        positions = {topic: applied(topic) for topic in _APPLIED}
        for partition in self.next_offsets:
            if partition.topic in _APPLIED:
                # Without a position Redis has lost everything: windows are made anew from the topic's beginning.
                logged = self._partition_logs[partition].position
                self.next_offsets[partition] = min(positions[partition.topic].get(partition.partition, 0), logged)
        self.rewind()

    def rewind(self) -> None:
        """Read on from the next offsets: what was polled since was not applied."""
        for partition, offset in self.next_offsets.items():
            if partition in self._consumer.assignment():
                self._consumer.seek(partition, offset)

    def _is_whole(self, partition: Any, end: int, position: int | None, logged: int | None) -> bool:
        """Whether a partition reaches as far as we know it; a broker that was killed needs a while to find its end."""
        told = {"the event log holds": logged}
        if partition.topic == TRANSACTIONS:  # stock that is told again is no harm
            told["the online store has applied"] = position
        beyond = {what: offset for what, offset in told.items() if offset is not None and offset > end}
        if not beyond:
            self._short_since.pop(partition, None)
            return True
        since = self._short_since.setdefault(partition, time.monotonic())
        if time.monotonic() - since <= _PATIENCE_SECONDS:
            return False
        what, offset = beyond.popitem()
        why = f"partition {partition.partition} ends at offset {end}, but {what} offsets up to {offset}"
        raise made_anew(partition.topic, why, self.logs[partition.topic].folder)

    def _go_to(self, partition: Any, first: int, position: int | None, logged: int | None) -> None:
        """Read on where the online store and the log need it, or at the topic's ``first`` offset."""
        if logged is None:
            start_of_log = first if position is None or partition.topic != TRANSACTIONS else max(first, position)
            logged = self.logs[partition.topic].begin(partition.partition, start_of_log)
        start = min(first if position is None else position, max(logged, first))
        if start < first:
            log.error(
                "partition %d of %s begins at offset %d, offsets from %d on are lost: its retention is too short",
                partition.partition, partition.topic, first, start,
            )  # fmt: skip
            start = first
        self._partition_logs[partition] = PartitionLog(self.logs[partition.topic], partition.partition, logged)
        self.next_offsets[partition] = start
        self._consumer.seek(partition, start)
        self._consumer.resume(partition)

    # --- how far Kafka is ahead ---

    def behind(self, partition: Any) -> int:
        """Events that wait in the partition, as far as the last poll has told."""
        highwater = self._highwater(partition)
        return 0 if highwater is None else max(0, highwater - self.next_offsets[partition])

    def is_read_to_end(self, partition: Any, next_offset: int) -> bool:
        """Whether nothing waits in the partition from this offset on."""
        highwater = self._highwater(partition)
        return highwater is not None and next_offset >= highwater

    def _highwater(self, partition: Any) -> int | None:
        known: int | None = self._consumer.highwater(partition) if partition in self._consumer.assignment() else None
        return known

    # --- rows for the event log ---

    def done(self, partition: Any, rows: Sequence[tuple[int, Row]], next_offset: int) -> None:
        """Everything before ``next_offset`` is applied; its rows (offset, row) wait for the log."""
        self._partition_logs[partition].take(rows, next_offset)
        self.next_offsets[partition] = next_offset

    def flush_longest_waiting(self, seconds: float, rows: int) -> Counter[str]:
        """Write one partition's log if rows have waited for so long, or so many wait: one at a time for short pauses.

        Returns:
            Topic to the number of rows written.
        """
        now = time.monotonic()
        waiting = [
            (self._rows_wait_since.setdefault(partition, now), partition)
            for partition, held in self._partition_logs.items()
            if held.pending
        ]
        if waiting:
            since, partition = min(waiting)
            if now - since >= seconds or sum(held.pending for held in self._partition_logs.values()) >= rows:
                return self.flush([partition])
        return Counter()

    def flush(self, partitions: Iterable[Any]) -> Counter[str]:
        """Write the logs of those of these partitions that are ours; returns topic to the number of rows written."""
        written: Counter[str] = Counter()
        for partition in partitions:
            if partition in self._partition_logs:
                written[partition.topic] += self._partition_logs[partition].flush()
                self._rows_wait_since.pop(partition, None)
        return written

    def flush_all(self) -> Counter[str]:
        """Write all logs."""
        return self.flush(list(self._partition_logs))
