"""Stage 8's way to Kafka: never waits, never fails a request; what cannot be written is counted.

A thread owns the producer (kafka-python blocks while it looks for brokers), requests only put events into its queue.
"""

from __future__ import annotations

import asyncio
import json
import logging
import queue
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from feature_repo.contracts import INTERACTIONS
from serving.gateway.metrics import IMPRESSIONS_DROPPED, INTERACTION_LOG_ERRORS

if TYPE_CHECKING:
    from kafka import KafkaProducer


Event = Mapping[str, str | int]

_LEAST_POLL_MS = 20.0  # as long as events linger

log = logging.getLogger(__name__)

_BESIDE_TEXTS_BYTES = 200  # of an event: its fields' names, its numbers


class InteractionLogDown(Exception):  # noqa: N818 - becomes the status UNAVAILABLE
    """Kafka did not acknowledge, or was not asked."""


@dataclass(frozen=True)
class InteractionLogConfig:
    """How long events wait for Kafka, and how much of them."""

    queue_bytes: int = 32 * 2**20  # of events that Kafka has not answered for, those with the producer included
    delivery_timeout_ms: int = 10_000
    acknowledge_s: float = 10.0  # at most, where a caller waits
    connect_timeout_ms: int = 1_000
    reconnect_s: float = 1.0


@dataclass(frozen=True)
class _Batch:
    events: Sequence[Event]
    acknowledged: asyncio.Future[None] | None = None
    loop: asyncio.AbstractEventLoop | None = None

    @property
    def is_given_up(self) -> bool:
        """Whether its caller has been told that it failed, and may send it again."""
        return self.acknowledged is not None and self.acknowledged.done()

    @cached_property
    def size_bytes(self) -> int:
        """About what Kafka gets."""
        texts = sum(len(value) for event in self.events for value in event.values() if isinstance(value, str))
        return texts + _BESIDE_TEXTS_BYTES * len(self.events)


class InteractionLog:
    """Writes interactions to Kafka, keyed by customer."""

    def __init__(self, bootstrap_servers: str, config: InteractionLogConfig | None = None) -> None:
        self._bootstrap_servers = bootstrap_servers
        self._config = config or InteractionLogConfig()
        self._queue: queue.SimpleQueue[_Batch | None] = queue.SimpleQueue()
        self._waiting_bytes = 0
        self._counting = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="event-log", daemon=True)
        self.problem: str | None = None

    def start(self) -> None:
        """Begin writing; does not wait for Kafka."""
        self._thread.start()

    def close(self, timeout_s: float = 5.0) -> None:
        """Write what is queued, as far as that is possible in the time given."""
        if not self._thread.is_alive():
            return
        self._queue.put(None)
        self._thread.join(timeout_s)

    def offer(self, events: Sequence[Event]) -> str | None:
        """Queue events that may be lost.

        Returns:
            None, or why they will probably be lost.
        """
        why_not = self._put(_Batch(events))
        if why_not is not None:
            IMPRESSIONS_DROPPED.inc(len(events))
        return why_not or self.problem

    async def write(self, events: Sequence[Event]) -> None:
        """Write events that must not be lost; returns when Kafka has acknowledged all of them.

        Raises:
            InteractionLogDown: it has not, some may have been written; or the log has not been started.
        """
        if not self._thread.is_alive():
            raise InteractionLogDown("the gateway is not ready to record; wait for its health service to say SERVING")
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[None] = loop.create_future()
        why_not = self._put(_Batch(events, acknowledged, loop))
        if why_not is not None:
            raise InteractionLogDown(why_not)
        try:
            async with asyncio.timeout(self._config.acknowledge_s):
                await acknowledged
        except TimeoutError:
            self.problem = f"Kafka does not acknowledge within {self._config.acknowledge_s:g} s"
            raise InteractionLogDown(self.problem) from None

    def _put(self, batch: _Batch) -> str | None:
        """Queue a batch; else say why not."""
        size_bytes = batch.size_bytes
        with self._counting:
            if self._waiting_bytes + size_bytes > self._config.queue_bytes:
                return self.problem or f"{self._config.queue_bytes} bytes of events wait for Kafka already"
            self._waiting_bytes += size_bytes
        self._queue.put(batch)
        return None

    def _run(self) -> None:
        producer: KafkaProducer | None = None
        next_attempt = 0.0
        while True:
            batch: _Batch | None = None
            try:
                if producer is None and time.monotonic() >= next_attempt:
                    try:
                        producer = self._connect()
                    finally:
                        next_attempt = time.monotonic() + self._config.reconnect_s
                try:
                    batch = self._queue.get(timeout=None if producer is not None else self._config.reconnect_s)
                except queue.Empty:
                    continue
                if batch is None:
                    break
                if batch.is_given_up:
                    self._fail(batch, "its caller waits no longer")
                elif producer is None:
                    self._fail(batch, self.problem or "Kafka is not reachable")
                else:
                    self._send(producer, batch)
            except Exception as error:  # without this thread nothing would be written any more, and nobody told
                INTERACTION_LOG_ERRORS.inc()
                log.exception("events on their way to Kafka are lost")
                self.problem = f"the gateway met {type(error).__name__} on the way to Kafka; see its log"
                if batch is not None:
                    self._fail(batch, self.problem)
        if producer is not None:
            producer.close(timeout=4)

    def _connect(self) -> KafkaProducer | None:
        # Imported here: half a second that need not pass before the first answer.
        from kafka import KafkaProducer
        from kafka.errors import KafkaError

        try:
            producer = KafkaProducer(
                bootstrap_servers=self._bootstrap_servers,
                client_id="vitrine-gateway",
                acks="all",
                # Event ids make a repeated event harmless; without a broker an idempotent producer would hang on to
                # its events past their time, waiting for an id of its own.
                enable_idempotence=False,
                linger_ms=20,
                max_block_ms=1_000,
                request_timeout_ms=self._config.delivery_timeout_ms // 2,
                delivery_timeout_ms=self._config.delivery_timeout_ms,
                reconnect_backoff_max_ms=1_000,
                bootstrap_timeout_ms=self._config.connect_timeout_ms,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
        except (KafkaError, OSError) as error:
            if self.problem is None:
                log.warning("Kafka at %s is not reachable, impressions are lost: %s", self._bootstrap_servers, error)
            self.problem = f"Kafka is not reachable: {type(error).__name__}"
            return None
        _pause_between_polls(producer)
        self.problem = None
        return producer

    def _send(self, producer: KafkaProducer, batch: _Batch) -> None:
        pending = _Pending(self, batch, len(batch.events))
        for event in batch.events:
            try:
                sent: Any = producer.send(
                    INTERACTIONS,
                    json.dumps(event, separators=(",", ":")).encode(),
                    key=str(event["customer_id"]).encode(),
                )
            except Exception as error:  # kafka-python raises from several families
                pending.failed(error)
            else:
                sent.add_callback(pending.succeeded)
                sent.add_errback(pending.failed)

    def _fail(self, batch: _Batch, problem: str) -> None:
        IMPRESSIONS_DROPPED.inc(len(batch.events))
        self.settle(batch, InteractionLogDown(problem))

    def settle(self, batch: _Batch, error: InteractionLogDown | None) -> None:
        """Kafka has answered for a batch, or will not: its bytes are free, whoever waits for it is told."""
        with self._counting:
            self._waiting_bytes -= batch.size_bytes
        _resolve(batch, error)


def _pause_between_polls(producer: KafkaProducer) -> None:
    """Let the producer's thread wait a little where its broker takes nothing.

    kafka-python 3.0.12 polls without a pause while as many requests as it allows are unanswered or a connection is
    being made, and between two tries takes the seconds to wait for milliseconds: its thread then holds up all answers.
    """
    client = producer._sender._client
    delay_s = client.connection_delay
    client.connection_delay = lambda node_id: max(_LEAST_POLL_MS, delay_s(node_id) * 1e3)


class _Pending:
    """Counts the answers of Kafka for one batch; called from the producer's thread."""

    def __init__(self, interaction_log: InteractionLog, batch: _Batch, left: int) -> None:
        self._interaction_log, self._batch, self._left = interaction_log, batch, left
        self._error: InteractionLogDown | None = None
        self._lock = threading.Lock()

    def succeeded(self, _: object) -> None:
        self._interaction_log.problem = None
        self._one_less()

    def failed(self, error: BaseException) -> None:
        IMPRESSIONS_DROPPED.inc()
        self._interaction_log.problem = f"Kafka does not acknowledge: {type(error).__name__}"
        self._error = InteractionLogDown(self._interaction_log.problem)
        self._one_less()

    def _one_less(self) -> None:
        with self._lock:
            self._left -= 1
            done = self._left == 0
        if done:
            self._interaction_log.settle(self._batch, self._error)


def _resolve(batch: _Batch, error: InteractionLogDown | None) -> None:
    if batch.acknowledged is None or batch.loop is None:
        return
    future = batch.acknowledged

    def settle() -> None:
        if future.done():  # the caller's deadline has passed
            return
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

    with suppress(RuntimeError):  # the loop is closed: nobody waits
        batch.loop.call_soon_threadsafe(settle)
