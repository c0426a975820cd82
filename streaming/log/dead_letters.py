"""Bad events: set aside in ``<topic>.dead-letter`` with the reason and their origin, never dropped, never a crash."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from feature_repo.contracts import dead_letter_topic

MAX_KEPT_BYTES = 512 * 1024
"""Of a longer event the beginning is kept; the whole one is still where ``partition`` and ``offset`` say."""


@dataclass(frozen=True)
class DeadLetter:
    """One bad event.

    Attributes:
        topic, partition, offset: where it came from.
        key, value: as they came.
        reason: why it cannot be used.
        is_truncated: ``value`` is the beginning only.
    """

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    reason: str
    is_truncated: bool = False

    def headers(self) -> list[tuple[str, bytes]]:
        """The Kafka headers that tell the reason and the origin; key and value stay what they were."""
        headers = [
            ("reason", self.reason.encode()),
            ("topic", self.topic.encode()),
            ("partition", str(self.partition).encode()),
            ("offset", str(self.offset).encode()),
        ]
        if self.value is not None and len(self.value) > MAX_KEPT_BYTES:
            headers.append(("truncated", str(len(self.value)).encode()))
        return headers


class DeadLetters:
    """Writes dead letters; ``flush`` before committing the offsets they came from."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._producer: Any = None
        self._unconfirmed: list[Any] = []

    def put(self, letter: DeadLetter) -> None:
        """Hand one over."""
        if self._producer is None:  # most workers never need one
            from kafka import KafkaProducer

            self._producer = KafkaProducer(
                bootstrap_servers=self._bootstrap_servers,
                acks="all",
                enable_idempotence=True,
                reconnect_backoff_max_ms=500,
                delivery_timeout_ms=600_000,
            )
        value = letter.value if letter.value is None else letter.value[:MAX_KEPT_BYTES]
        self._unconfirmed.append(
            self._producer.send(dead_letter_topic(letter.topic), key=letter.key, value=value, headers=letter.headers())
        )

    def flush(self) -> None:
        """Wait until Kafka has all of them.

        Raises:
            kafka.errors.KafkaError: it did not take one.
        """
        if self._unconfirmed:
            self._producer.flush()
            for future in self._unconfirmed:
                future.get(timeout=60)
            self._unconfirmed = []

    def close(self) -> None:
        if self._producer is not None:
            self._producer.close()
