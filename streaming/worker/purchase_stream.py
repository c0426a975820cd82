"""The heart of the worker, without Kafka around it: batches of purchases in, online features and all marks out.

Redis keeps how far each partition is applied (``vitrine:positions:transactions``), written after everything that it
vouches for. Redis recovers to a prefix of its history, so after a crash that lost its last moments the position is as
old as the windows are, and reading goes on from there: Kafka's own committed offsets are for display. On a Redis
Cluster every master has a position of its own: ``node_marks`` says why nothing is lost between them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from redis.exceptions import ConnectionError

from feature_repo.contracts import (
    ARTICLE_CHANGES_KEY,
    BOOTSTRAPPED_KEY,
    BOOTSTRAPPING_KEY,
    EVENT_CLOCK_KEY,
    TRANSACTIONS,
    WATERMARKS_KEY,
)
from feature_repo.events.purchase import Purchase
from feature_repo.events.rules import instant_text
from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import Keyed, keyed, script_call
from feature_repo.schema import WINDOW_DAYS
from infra.base.calendar import epoch_micros
from infra.base.errors import UserError
from streaming.store.checkpoints import Checkpoints
from streaming.store.node_marks import check_every_master_is_marked, mark_keys
from streaming.time.event_clock import EventClock
from streaming.time.sweep import Sweep
from streaming.windows.updates import COLUMNS_PAY_FROM, DEFAULT_CACHED_ENTITIES, Applied, PendingUpdates, WindowUpdates
from streaming.worker.entity_tools import entity_tools

KEPT_CHANGES = 100_000
_ARTICLES_PER_CHANGE = 500

_SET_IF_LATER = """
local now = redis.call('GET', KEYS[1])
if now and now >= ARGV[1] then return now end
redis.call('SET', KEYS[1], ARGV[1])
return ARGV[1]
"""


@dataclass(frozen=True)
class PartitionBatch:
    """What one round read of one partition.

    Attributes:
        purchases: in the order of their offsets.
        next_offset: where to read on once these are applied.
        is_read_to_end: nothing more waits in the partition.
    """

    purchases: Sequence[Purchase]
    next_offset: int
    is_read_to_end: bool


@dataclass(frozen=True)
class Outcome:
    """Counts of one round, for the log line and the metrics."""

    customers: Applied
    articles: Applied


@dataclass(frozen=True)
class PendingBatch:
    """What one round read, on its way to Redis; commit it before anything else is asked of the stream.

    Attributes:
        customers: what became of the purchases; their windows are written.
        articles: their windows, sent and not answered yet.
        day: the clock day that they were brought to.
    """

    stream: PurchaseStream
    batches: Mapping[int, PartitionBatch]
    customers: Applied
    articles: PendingUpdates
    day: int

    def commit(self) -> Outcome:
        """Wait until it is in Redis, and set the marks that say so: from then on the offsets may be committed."""
        outcome = Outcome(self.customers, self.articles.commit())
        self.stream.mark(self, outcome)
        return outcome


class PurchaseStream:
    """Applies batches of purchases to both windows, and expires silent windows.

    After any ``ConnectionError``, which also tells that Redis has lost data, make a new one on a new pipe and read on
    from ``positions``.

    Args:
        pipe: the connection to Redis; this object's own.
        clock: shared with what comes after a reconnect, since it never goes back.
    """

    def __init__(
        self,
        pipe: Pipe,
        clock: EventClock,
        *,
        cached_entities: int = DEFAULT_CACHED_ENTITIES,
        columns_from: int = COLUMNS_PAY_FROM,
    ) -> None:
        check_every_master_is_marked(pipe)
        self._pipe = pipe
        self.clock = clock
        (customers, customer_expiries), (articles, article_expiries) = entity_tools(pipe)
        self.customers = WindowUpdates(customers, cached_entities=cached_entities, columns_from=columns_from)
        self.articles = WindowUpdates(articles, cached_entities=cached_entities, columns_from=columns_from)
        self._expiries = ((self.customers, customer_expiries), (self.articles, article_expiries))
        self._set_if_later = pipe.load_script(_SET_IF_LATER)
        self._check_bootstrap()
        self._learn(self._pipe.call(b"HGETALL", WATERMARKS_KEY), set())
        self._hear_clock(self._pipe.call(b"GET", EVENT_CLOCK_KEY))
        self._positions = Checkpoints(pipe, TRANSACTIONS)
        self._sweep = Sweep(pipe, clock, self._expiries)
        self._marked: dict[int, int] = {}  # partition to the position that we wrote last

    def positions(self) -> dict[int, int]:
        """Partition to the next offset to apply, for those ever applied."""
        return self._positions.read()

    def refresh(self, own_partitions: Collection[int]) -> None:
        """Tell the others how far our partitions are and hear how far theirs are, also where nothing is applied.

        Telling again and again makes good what a former owner may have written last.

        Raises:
            redis.exceptions.ConnectionError: Redis has forgotten what it had applied, as if it had been restarted.
        """
        self._check_positions()
        commands = [*self._watermark_commands(own_partitions), keyed(b"HGETALL", WATERMARKS_KEY)]
        self._learn(self._pipe.ask(commands)[-1], set(own_partitions))
        self.clock.observe({})
        self._hear_clock(self._pipe.ask([self._clock_command()])[0])

    def apply(self, batches: Mapping[int, PartitionBatch]) -> PendingBatch:
        """Bring windows and features forward by what was read; Redis works on while the caller does something else."""
        self.clock.observe({p: (batch.purchases, batch.is_read_to_end) for p, batch in batches.items()})
        horizon_day = self.clock.horizon_day
        # Before the clock has started, windows stand a window's length before the newest purchase.
        day = self.clock.day or max(0, horizon_day - WINDOW_DAYS)
        by_customer: dict[str, list[Purchase]] = {}
        for batch in batches.values():
            for purchase in batch.purchases:
                by_customer.setdefault(purchase.customer_id, []).append(purchase)
        self._check_positions()
        customers = self.customers.apply(by_customer, day, horizon_day).commit()
        articles = self.articles.apply(_by_article(batches, customers.duplicates), day, horizon_day)
        return PendingBatch(self, batches, customers, articles, day)

    def tick(self, shards: Iterable[int], limit: int) -> int:
        """Expire what has left windows that have not moved since their day came; about ``limit`` of them per call.

        Returns:
            How many were brought to the clock day; 0 when nothing is left to do.
        """
        moved, expired = self._sweep.step(shards, limit)
        self.announce(expired[self.articles])
        return moved

    def announce(self, article_ids: Sequence[str]) -> None:
        """Tell gateways that the features of these articles have changed."""
        self._pipe.ask(self._announcements(article_ids))

    def forget_partitions(self, partitions: Collection[int]) -> None:
        """Other workers read these now."""
        for partition in partitions:
            self._marked.pop(partition, None)
        self._sweep.forget()
        self.clock.forget(partitions)

    def mark(self, batch: PendingBatch, outcome: Outcome) -> None:
        """Everything that is not in an entity's own hash; positions come last, for they vouch for all before."""
        day, batches = batch.day, batch.batches
        commands: list[Keyed] = []
        for applied, (_, index) in zip((outcome.customers, outcome.articles), self._expiries, strict=True):
            commands += index.additions(applied.changes, day, self.clock.horizon_day)
        commands += self._announcements(sorted(batch.articles.purchases))
        clock_position = len(commands)
        commands.append(self._clock_command())
        commands += [*self._watermark_commands(batches), keyed(b"HGETALL", WATERMARKS_KEY)]
        replies = self._pipe.ask(commands)
        self._hear_clock(replies[clock_position])
        self._learn(replies[-1], set(batches))
        if self.clock.now_us and self.clock.day > day:
            # Another worker is ahead and may have swept days that we have just put windows down for.
            for (updates, index), applied in zip(self._expiries, (outcome.customers, outcome.articles), strict=True):
                updates.advance({entity_id for entity_id, _ in applied.changes}, self.clock.day)
                self._pipe.ask(index.removals(applied.changes, day, self.clock.day))
        next_offsets = {number: batch.next_offset for number, batch in batches.items()}
        self._positions.write(next_offsets)
        self._marked.update(next_offsets)

    def _check_bootstrap(self) -> None:
        """Make sure that the last bootstrap was finished, and that every master of a cluster still has its part of it.

        Windows that a bootstrap has loaded know their purchases by id, not by offset: those of one master cannot be
        made anew from the topic beside those of another that were loaded.
        """
        flags = mark_keys(BOOTSTRAPPING_KEY, self._pipe.is_cluster)
        if any(self._pipe.ask([keyed(b"EXISTS", key) for key in flags])):
            raise UserError("a bootstrap is under way or was cut short; run `vitrine stream --bootstrap` to its end")
        finished = mark_keys(BOOTSTRAPPED_KEY, self._pipe.is_cluster)
        if len(set(self._pipe.ask([keyed(b"GET", key) for key in finished]))) > 1:
            raise UserError(
                "a master of the Redis Cluster has lost what `vitrine stream --bootstrap` had loaded; stop all workers "
                "and run it again, and `vitrine materialize`"
            )

    def _check_positions(self) -> None:
        """Notice a Redis that was emptied, or went back to an older copy, without our connection being cut.

        Before anything is written: a window that is begun anew would fence off what it has forgotten.
        """
        stored = self._positions.now()
        for partition, offset in self._marked.items():
            if stored.get(partition, 0) < offset:
                raise ConnectionError(
                    f"partition {partition} was applied up to offset {offset}, and Redis now says "
                    f"{stored.get(partition, 0)}: it has lost data"
                )

    def _watermark_commands(self, partitions: Iterable[int]) -> list[Keyed]:
        published = [(partition, self.clock.published(partition)) for partition in partitions]
        return [
            keyed(b"HSET", WATERMARKS_KEY, b"%d" % partition, told) for partition, told in published if told is not None
        ]

    def _learn(self, flat: Sequence[bytes], own: set[int]) -> None:
        for partition, published in zip(flat[::2], flat[1::2], strict=True):
            if int(partition) not in own:
                self.clock.learn(int(partition), published)

    def _announcements(self, article_ids: Sequence[str]) -> list[Keyed]:
        clock = instant_text(self.clock.now_us).encode()
        return [
            keyed(
                b"XADD",
                ARTICLE_CHANGES_KEY,
                b"MAXLEN",
                b"~",
                b"%d" % KEPT_CHANGES,
                b"*",
                b"articles",
                ",".join(article_ids[start : start + _ARTICLES_PER_CHANGE]).encode(),
                b"clock",
                clock,
            )
            for start in range(0, len(article_ids), _ARTICLES_PER_CHANGE)
        ]

    def _hear_clock(self, stored: bytes | None) -> None:
        """Another worker's clock may be ahead."""
        if stored is not None:
            self.clock.move_to(_micros_of_text(stored))

    def _clock_command(self) -> Keyed:
        """Publish our clock, once it has started, and hear the later of ours and the published one."""
        if not self.clock.now_us:
            return keyed(b"GET", EVENT_CLOCK_KEY)
        return script_call(self._set_if_later, EVENT_CLOCK_KEY, instant_text(self.clock.now_us).encode())


def _by_article(batches: Mapping[int, PartitionBatch], duplicates: set[tuple[int, int]]) -> dict[str, list[Purchase]]:
    """Purchases by article; the articles' windows keep no event ids, so what was sent twice is left out here."""
    by_article: dict[str, list[Purchase]] = {}
    for batch in batches.values():
        for purchase in batch.purchases:
            if not duplicates or (purchase.partition, purchase.offset) not in duplicates:
                by_article.setdefault(purchase.article_id, []).append(purchase)
    return by_article


def _micros_of_text(text: bytes) -> int:
    """The instant that ``vitrine:event-clock`` holds."""
    return epoch_micros(datetime.fromisoformat(text.decode()))
