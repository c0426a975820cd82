"""Sends purchases to Kafka: keyed by customer, acknowledged by all replicas, never stored twice by a retry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

from feature_repo.contracts import TRANSACTIONS
from feature_repo.events.rules import purchase_event
from infra.base.calendar import epoch_micros
from streaming.unreachable import kafka_unreachable

_RECONNECT_MS = 500


@dataclass(frozen=True)
class Acknowledged:
    """Where Kafka has stored a purchase."""

    partition: int
    offset: int


@dataclass(frozen=True)
class NewPurchase:
    """A purchase to send; ``event_id`` is the shop's own, and sending it twice counts once."""

    event_id: str
    occurred_at: datetime
    customer_id: str
    article_id: str
    price_micros: int
    sales_channel_id: int


class PurchaseProducer:
    """An idempotent producer of ``transactions``.

    Args:
        bootstrap_servers: of Kafka.
        linger_ms: how long to wait for others to share a request; 0 for a single shopper, more for a replay.

    Raises:
        UserError: Kafka does not answer.
    """

    def __init__(self, bootstrap_servers: str, linger_ms: int = 0) -> None:
        from kafka import KafkaProducer
        from kafka.errors import KafkaError

        try:
            self._producer = KafkaProducer(
                bootstrap_servers=bootstrap_servers,
                acks="all",
                enable_idempotence=True,
                linger_ms=linger_ms,
                batch_size=128 * 1024,
                reconnect_backoff_max_ms=_RECONNECT_MS,
                delivery_timeout_ms=600_000,
                bootstrap_timeout_ms=10_000,
            )
        except KafkaError as error:
            raise kafka_unreachable(bootstrap_servers, error) from error

    def send(self, purchase: NewPurchase, timeout_s: float = 30.0) -> Acknowledged:
        """Send one purchase and wait until Kafka has it.

        Raises:
            kafka.errors.KafkaError: Kafka did not take it in time.
        """
        event = purchase_event(
            purchase.event_id,
            epoch_micros(purchase.occurred_at),
            purchase.customer_id,
            purchase.article_id,
            purchase.price_micros,
            purchase.sales_channel_id,
        )
        sent = self.send_soon(purchase.customer_id, event, epoch_micros(purchase.occurred_at))
        self._producer.flush(timeout=timeout_s)
        stored = sent.get(timeout=timeout_s)
        return Acknowledged(stored.partition, stored.offset)

    def send_soon(
        self, customer_id: str, event: bytes, occurred_at_us: int, failed: Callable[[Exception], None] | None = None
    ) -> Any:
        """Hand one event over without waiting; returns Kafka's future. ``flush`` waits for all."""
        sent = self._producer.send(
            TRANSACTIONS, value=event, key=customer_id.encode(), timestamp_ms=occurred_at_us // 1000
        )
        if failed is not None:
            sent.add_errback(failed)
        return sent

    def flush(self) -> None:
        """Wait until everything handed over is acknowledged."""
        self._producer.flush()

    def close(self) -> None:
        self._producer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
