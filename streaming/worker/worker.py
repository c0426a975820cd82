"""The worker: reads the three topics as one of a consumer group, and brings online store and event log forward.

One round is: poll, see that the last round is in Redis, parse, set bad events aside, apply to Redis, hand to the log;
then, when their time has come, expire windows and flush the log. Where to read on is decided by what Redis and the
log hold, never by the offsets committed to Kafka: those are for display.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from redis.exceptions import RedisError

from feature_repo.contracts import AVAILABILITY, TRANSACTIONS
from feature_repo.events.catalogue import Catalogue
from feature_repo.events.purchase import Purchase
from feature_repo.online.cluster_pipe import open_pipe
from infra.base.errors import UserError
from infra.base.settings import Settings
from streaming.events.parsing import EventParser
from streaming.log.dead_letters import DeadLetters
from streaming.log.log_rows import purchase_row
from streaming.time.event_clock import EventClock
from streaming.time.expiry_index import shards_of
from streaming.unreachable import redis_unreachable
from streaming.windows.updates import Applied
from streaming.worker.assigned_partitions import AssignedPartitions
from streaming.worker.availability import AvailabilityUpdates
from streaming.worker.group import ASSIGNED, REVOKED, join
from streaming.worker.metrics import Metrics
from streaming.worker.options import WorkerOptions
from streaming.worker.purchase_stream import PartitionBatch, PendingBatch, PurchaseStream
from streaming.worker.status import Progress, WorkerWord
from streaming.worker.topic_identity import TopicIdentity

log = logging.getLogger("vitrine.stream")

_POLL_MS = 100
_TICK_SECONDS = 2.0
_COMMIT_SECONDS = 1.0
_RETRY_SECONDS = 0.2


class StreamWorker:
    """One worker process.

    Args:
        now: the machine's clock, Unix time.

    Raises:
        UserError: Kafka or Redis do not answer, or do not fit each other.
    """

    def __init__(
        self,
        settings: Settings,
        options: WorkerOptions,
        metrics: Metrics | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._options = options
        self._now = now
        self.metrics = metrics or Metrics()
        self.progress = Progress()
        self._dead_letters = DeadLetters(settings.kafka_bootstrap_servers)
        catalogue = Catalogue(settings.tables_dir / "articles.parquet")
        self._intake = EventParser(catalogue, self._dead_letters, self.metrics)
        self._clock = EventClock(options.watermark_policy)
        self._published_idle: dict[int, bool] = {}
        self._tick_due = self._commit_due = 0.0
        self._tick_day = -1
        self._pending: PendingBatch | None = None
        self._word = WorkerWord(options.instance or f"{socket.gethostname()}-{os.getpid()}")
        self._connect_redis()
        member = join(settings.kafka_bootstrap_servers, options.max_poll_records, options.session_timeout_ms)
        self._consumer, self._rebalances = member.consumer, member.rebalances
        self._own = AssignedPartitions(self._consumer, settings.event_log_dir)
        self._identity = TopicIdentity(self._consumer, self._own.logs)
        self._partition_count = len(self._consumer.partitions_for_topic(TRANSACTIONS))

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set; then flush, commit and leave the group."""
        from kafka.errors import KafkaError

        try:
            while not stop.is_set():
                try:
                    self._round()
                except RedisError as error:
                    log.warning("Redis: %s; connecting anew", error)
                    self._recover(stop)
                except KafkaError as error:
                    log.warning("Kafka: %r; trying again", error)
                    stop.wait(_RETRY_SECONDS)
                    self._own.rewind()
        finally:
            self._leave()

    def _round(self) -> None:
        polled = self._consumer.poll(timeout_ms=_POLL_MS, max_records=self._options.max_poll_records)
        self._commit_pending()
        self._identity.check(self._pipe)
        while self._rebalances:
            self._rebalance(*self._rebalances.popleft())
        self._report()
        polled = {partition: records for partition, records in polled.items() if partition in self._own}
        positioned = self._own.position(self._applied)
        self._clock.expect([partition.partition for partition in positioned if partition.topic == TRANSACTIONS])
        started = time.perf_counter()
        if polled:
            self._apply(polled)
            self.metrics.round.observe(time.perf_counter() - started)
        else:
            self._notice_silence()
        self._chores()

    # --- one batch ---

    def _apply(self, polled: dict[Any, list[Any]]) -> None:
        latest_us = int(self._now() * 1_000_000) + self._options.watermark_policy.wall_skew_us
        self.progress.events += sum(map(len, polled.values()))
        batch = self._intake.parse(polled, latest_us)
        duplicates = self._apply_purchases(batch.purchases, batch.next_offsets).duplicates
        for events in batch.availability:
            self._stream.announce(self._availability.apply(events))
        told = {p.partition: offset for p, offset in batch.next_offsets.items() if p.topic == AVAILABILITY}
        if told:
            self._availability.mark(self._identity.met(AVAILABILITY), told)
        for partition, purchases in batch.purchases.items():
            batch.rows[partition] = [
                (purchase.offset, purchase_row(purchase))
                for purchase in purchases
                if not duplicates or (purchase.partition, purchase.offset) not in duplicates
            ]
        for partition, next_offset in batch.next_offsets.items():
            self._own.done(partition, batch.rows.get(partition, ()), next_offset)

    def _apply_purchases(self, purchases: dict[Any, list[Purchase]], next_offsets: dict[Any, int]) -> Applied:
        batches = {}
        for partition, offset in self._own.next_offsets.items():
            if partition.topic == TRANSACTIONS:
                of_partition = purchases.get(partition, [])
                read_on = next_offsets.get(partition, offset)
                idle = self._own.is_read_to_end(partition, read_on)
                self._published_idle[partition.partition] = idle
                batches[partition.partition] = PartitionBatch(of_partition, read_on, idle)
        if self._options.wall_clock:
            self._clock.move_to(int(self._now() * 1_000_000))
        pending = self._pending = self._stream.apply(batches)
        # With a backlog, Redis works on while we read the next batch.
        if sum(map(len, purchases.values())) < self._options.max_poll_records // 2:
            self._commit_pending()
        return pending.customers

    def _commit_pending(self) -> None:
        """See that what was applied is in Redis, and count it."""
        pending, self._pending = self._pending, None
        if pending is None:
            return
        outcome = pending.commit()
        metrics, customers = self.metrics, outcome.customers
        metrics.counted.inc(customers.counted)
        metrics.late.inc(customers.late)
        metrics.early.inc(customers.early)
        metrics.duplicates.inc(len(customers.duplicates))
        for view, applied in (("customer", customers), ("article", outcome.articles)):
            metrics.fenced.labels(view).inc(applied.fenced)
            metrics.overtaken.labels(view).inc(applied.overtaken)

    def _notice_silence(self) -> None:
        """Partitions read to their end do not hold the clock back: say so once they are."""
        idle = {
            partition.partition: self._own.is_read_to_end(partition, offset)
            for partition, offset in self._own.next_offsets.items()
            if partition.topic == TRANSACTIONS
        }
        if idle != self._published_idle or self._options.wall_clock:
            self._apply_purchases({}, {})

    # --- what is done now and then ---

    def _report(self) -> None:
        """Commit and measure once a second, between two batches: nothing is on its way to Redis then."""
        if time.monotonic() >= self._commit_due:
            self._commit_due = time.monotonic() + _COMMIT_SECONDS
            self._commit()
            self._measure()

    def _chores(self) -> None:
        now = time.monotonic()
        if now >= self._tick_due or self._tick_day != self._clock.day:
            own = self._own.of_purchases
            self._commit_pending()
            self._stream.refresh(own)
            expired = self._stream.tick(shards_of(own, self._partition_count), self._options.expiries_per_tick)
            self.metrics.expiries.inc(expired)
            if expired < self._options.expiries_per_tick:
                self._tick_due, self._tick_day = now + _TICK_SECONDS, self._clock.day
        self._count_logged(self._own.flush_longest_waiting(self._options.log_seconds, self._options.log_rows))

    def _count_logged(self, rows: Counter[str]) -> None:
        for topic, written in rows.items():
            self.metrics.logged.labels(topic).inc(written)

    def _commit(self) -> None:
        """Tell Kafka how far we are; for displays of lag, so a failure is no more than that."""
        from kafka.structs import OffsetAndMetadata

        offsets = {partition: OffsetAndMetadata(offset, "", -1) for partition, offset in self._own.next_offsets.items()}
        if offsets:
            self._consumer.commit_async(offsets)

    def _measure(self) -> None:
        lag = 0
        for partition in self._own.next_offsets:
            behind = self._own.behind(partition)
            lag += behind
            self.metrics.lag_of(partition.topic, partition.partition).set(behind)
        self.progress.lag, self.progress.clock_us = lag, self._clock.now_us
        self._word.renew(self._pipe, self.progress.events, lag, self._clock, self.metrics.figures())
        self.metrics.watermark.set(self._clock.now_us / 1e6)
        self.metrics.watermark_delay.set(max(0, self._clock.newest_us - self._clock.now_us) / 1e6)

    # --- partitions come and go ---

    def _rebalance(self, what: str, partitions: list[Any]) -> None:
        if what is ASSIGNED:
            self._own.assign(partitions)  # reading waits until it is clear where to go on
        elif what is REVOKED:
            self._hand_over(partitions)
        else:
            self._forget(partitions)

    def _hand_over(self, partitions: list[Any]) -> None:
        """Flush what is still ours, so that the next owner need not read it again.

        The next owner may be at it already. That does no harm: windows and log take each offset from one of us only.
        """
        self._commit_pending()
        self._count_logged(self._own.flush(partitions))
        self._forget(partitions)

    def _forget(self, partitions: list[Any]) -> None:
        """Partitions that are another's now."""
        self._own.forget(partitions)
        for partition in partitions:
            self.metrics.forget_partition(partition.topic, partition.partition)
            if partition.topic == TRANSACTIONS:
                self._published_idle.pop(partition.partition, None)
                self._stream.forget_partitions([partition.partition])

    # --- ends ---

    def _connect_redis(self) -> None:
        try:
            self._pipe = open_pipe(self._settings.redis_url)
            self._stream = PurchaseStream(self._pipe, self._clock)
            self._availability = AvailabilityUpdates(self._pipe)
        except RedisError as error:
            raise redis_unreachable(self._settings.redis_url, error) from error

    def _recover(self, stop: threading.Event) -> None:
        """Connect anew, remember nothing, and read on from what Redis holds: it may have lost its last moments."""
        self._pipe.close()
        self._pending = None
        while not stop.is_set():
            try:
                self._connect_redis()
                self._own.recover(self._applied)
            except (UserError, RedisError) as error:  # not there yet, or gone again
                log.info("%s", error)
                self._pipe.close()
                stop.wait(_RETRY_SECONDS)
            else:
                self.metrics.recoveries.inc()
                return

    def _applied(self, topic: str) -> dict[int, int]:
        """How far a topic is applied to Redis."""
        if topic == TRANSACTIONS:
            return self._stream.positions()
        return self._availability.positions(self._identity.met(topic))

    def _leave(self) -> None:
        try:
            self._commit_pending()
            self._count_logged(self._own.flush_all())
            self._commit()
        finally:
            self._consumer.close(timeout_ms=5_000)
            self._dead_letters.close()
            self._pipe.close()
