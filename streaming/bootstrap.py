"""Loads the windows of a new deployment from what batch knows, so that the stream goes on with neither gap nor overlap.

Batch knows ``var/tables/purchases.parquet`` and the event log. The log says up to which offset each partition is in it,
and that is where the stream goes on; purchases that come again all the same are known by their ids.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
from redis.exceptions import RedisError

from feature_repo.batch.as_of import last_day_known, refuse_future
from feature_repo.contracts import (
    BOOTSTRAPPED_KEY,
    BOOTSTRAPPING_KEY,
    EVENT_CLOCK_KEY,
    SWEPT_KEY,
    TRANSACTIONS,
    WATERMARKS_KEY,
)
from feature_repo.events.purchase import NO_PARTITION, Purchase, buyer_digest
from feature_repo.events.rules import instant_text
from feature_repo.files.purchase_dates import believed_days
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.cluster_slots import master_clients
from feature_repo.online.keys import entity_key
from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import keyed
from feature_repo.schema import WINDOW_DAYS
from infra.base.calendar import DAY_MICROS, epoch_micros
from infra.base.errors import UserError
from infra.base.progress import progress_bar
from infra.base.settings import Settings
from streaming.log.event_log import PURCHASE_COLUMNS, EventLog
from streaming.store.checkpoints import Checkpoints
from streaming.store.node_marks import check_every_master_is_marked, mark_keys
from streaming.store.window_packing import HEADER_FIELD
from streaming.store.window_store import WindowStore
from streaming.time.expiry_index import ExpiryIndex
from streaming.unreachable import redis_unreachable
from streaming.windows.state import WindowState
from streaming.worker.entity_tools import entity_tools

_ENTITIES_AT_ONCE = 1_000
_DAY = "CAST(make_timestamp(at_us) AS DATE)"


@dataclass(frozen=True)
class Loaded:
    """What a bootstrap has loaded; ``as_of`` is the instant that the event clock stands at."""

    customers: int
    articles: int
    purchases: int
    as_of: str
    seconds: float


def bootstrap(settings: Settings, as_of: date | None = None) -> Loaded:
    """Make the windows of all customers and articles anew; no worker may run meanwhile.

    Args:
        as_of: the clock stands at the start of this day, and purchases dated before it are loaded; what was streamed
            of later days is streamed again. None: everything known is loaded, and the clock stands at the newest
            purchase whose date is believed.

    Raises:
        UserError: nothing was ingested, nothing is known before ``as_of``, or Redis does not answer.
    """
    started = time.monotonic()
    known = KnownPurchases(settings.tables_dir / "purchases.parquet", settings.event_log_dir / TRANSACTIONS, as_of)
    clock_us = known.clock_us
    day = clock_us // DAY_MICROS
    try:
        with closing(open_pipe(settings.redis_url)) as pipe:
            check_every_master_is_marked(pipe)
            flags = mark_keys(BOOTSTRAPPING_KEY, pipe.is_cluster)
            pipe.ask([keyed(b"SET", flag, b"1") for flag in flags])
            positions = Checkpoints(pipe, TRANSACTIONS)
            positions.forget()
            _forget_marks(pipe, settings.redis_url)
            (customers, customer_index), (articles, article_index) = entity_tools(pipe)
            with progress_bar("loading windows", known.purchases * 2) as advance:
                counts = []
                for store, index, column in (
                    (customers, customer_index, "customer_id"),
                    (articles, article_index, "article_id"),
                ):
                    entity_ids: set[str] = set()
                    for chunk in known.by(column, day, _ENTITIES_AT_ONCE):
                        _load(pipe, store, index, chunk, day)
                        entity_ids.update(chunk)
                        advance(sum(map(len, chunk.values())))
                    _empty_others(pipe, settings.redis_url, store, entity_ids, day)
                    counts.append(len(entity_ids))
            pipe.call(b"SET", EVENT_CLOCK_KEY, instant_text(clock_us).encode())
            positions.write(known.positions())
            name = os.urandom(8).hex().encode()
            pipe.ask([keyed(b"SET", key, name) for key in mark_keys(BOOTSTRAPPED_KEY, pipe.is_cluster)])
            pipe.ask([keyed(b"DEL", flag) for flag in flags])
    except RedisError as error:
        raise redis_unreachable(settings.redis_url, error) from error
    return Loaded(counts[0], counts[1], known.purchases, instant_text(clock_us), time.monotonic() - started)


class KnownPurchases:
    """The purchases of the window, as batch knows them: of the ingested files and the event log, each once."""

    def __init__(self, table: Path, event_log: Path, as_of: date | None) -> None:
        if not table.exists():
            raise UserError(f"{table} is missing; run `vitrine ingest DATA_DIR` first")
        self._table = table
        self._event_log = event_log
        self._as_of = as_of
        self._database = duckdb.connect()
        columns = "event_id, epoch_us(occurred_at) AS at_us, customer_id, article_id, price_micros, sales_channel_id"
        known = f"SELECT {columns} FROM read_parquet('{_quoted(table)}')"
        if any(event_log.glob("day=*/*.parquet")):
            logged = f"SELECT {columns} FROM read_parquet('{_quoted(event_log)}/day=*/*.parquet')"
            known = f"SELECT DISTINCT ON (event_id) * FROM ({known} UNION ALL BY NAME {logged})"
        self._database.execute(f"CREATE VIEW known AS {known}")
        self.clock_us = self._clock_us()
        first_us = (self.clock_us // DAY_MICROS - WINDOW_DAYS + 1) * DAY_MICROS
        # Without a day given, what is dated after the clock, and not believed yet, waits in the windows for its day.
        until = f" AND at_us < {self.clock_us}" if as_of else ""
        self._database.execute(f"CREATE TABLE purchases AS SELECT * FROM known WHERE at_us >= {first_us}{until}")
        self.purchases = int(self._one("SELECT count(*) FROM purchases") or 0)

    def by(self, column: str, day: int, entities: int) -> Iterator[dict[str, list[Purchase]]]:
        """Purchases grouped by customer or article, so many entities at a time."""
        result = self._database.execute(f"SELECT * FROM purchases ORDER BY {column}, at_us, event_id")
        groups: dict[str, list[Purchase]] = {}
        position = {"customer_id": 2, "article_id": 3}[column]
        while rows := result.fetchmany(20_000):
            for row in rows:
                entity_id = row[position]
                group = groups.get(entity_id)
                if group is None:
                    if len(groups) >= entities:
                        yield groups
                        groups = {}
                    group = groups[entity_id] = []
                group.append(_purchase(row))
        if groups:
            yield groups

    def positions(self) -> dict[int, int]:
        """Partition to the offset at which the stream goes on: the first that is not loaded."""
        log = EventLog(self._event_log, PURCHASE_COLUMNS)
        positions = {}
        for partition in log.partitions():
            position = log.position(partition)
            if position is not None:
                first_later = log.first_offset_from(partition, self._as_of) if self._as_of else None
                positions[partition] = position if first_later is None else min(position, first_later)
        return positions

    def _clock_us(self) -> int:
        if self._as_of is not None:
            refuse_future(self._as_of)
            last_day_known(self._table.parent, self._event_log.parent, self._as_of)
            return epoch_micros(datetime(self._as_of.year, self._as_of.month, self._as_of.day, tzinfo=UTC))
        sold = self._database.execute(f"SELECT {_DAY}, count(*) FROM known GROUP BY 1 ORDER BY 1").fetchall()
        if not sold:
            raise UserError("there is no purchase to start from; run `vitrine ingest DATA_DIR` first")
        last = believed_days(sold, self._customers).last
        return int(self._one(f"SELECT max(at_us) FROM known WHERE {_DAY} <= DATE '{last}'"))

    def _customers(self, first: date, last: date) -> int:
        """How many customers bought from one day to another."""
        between = f"{_DAY} BETWEEN DATE '{first}' AND DATE '{last}'"
        return int(self._one(f"SELECT count(DISTINCT customer_id) FROM known WHERE {between}"))

    def _one(self, query: str) -> Any:
        row = self._database.execute(query).fetchone()
        return None if row is None else row[0]


def _purchase(row: Sequence[Any]) -> Purchase:
    event_id, at_us, customer_id, article_id, price_micros, channel = row
    return Purchase(
        event_id, at_us, at_us // DAY_MICROS, customer_id, buyer_digest(customer_id), article_id, price_micros, channel,
        NO_PARTITION, 0,
    )  # fmt: skip


def _load(pipe: Pipe, store: WindowStore, index: ExpiryIndex, purchases: dict[str, list[Purchase]], day: int) -> None:
    states, changes = [], set()
    for entity_id, of_entity in purchases.items():
        state = store.new(entity_id, day)
        state.take(of_entity)
        changes.update([(entity_id, purchase.day) for purchase in of_entity])
        state.restamp(0)
        states.append(state)
    pipe.ask(index.additions(changes, day, day))
    _replace(store, states)


def _replace(store: WindowStore, states: list[WindowState]) -> None:
    store.clear([state.entity_id for state in states])
    if store.write(states):
        raise UserError("windows are being written by someone else; stop all `vitrine stream` and bootstrap again")


def _forget_marks(pipe: Pipe, redis_url: str) -> None:
    for master in master_clients(redis_url):
        with master:
            for pattern in ("vitrine:expiry:*", "vitrine:expired:*", f"{SWEPT_KEY.decode()}*"):
                for key in master.scan_iter(match=pattern, count=1_000):
                    master.unlink(key)
    pipe.ask([keyed(b"DEL", key) for key in (WATERMARKS_KEY, EVENT_CLOCK_KEY)])


def _empty_others(pipe: Pipe, redis_url: str, store: WindowStore, loaded: set[str], day: int) -> None:
    """Windows from an earlier life that are not loaded now hold nothing."""
    prefix, suffix = _key_ends(store.entity)
    others: list[str] = []
    for master in master_clients(redis_url):
        with master:
            for key in master.scan_iter(count=5_000, _type="hash"):
                if key.startswith(prefix) and key.endswith(suffix):
                    entity_id = key[len(prefix) + 4 : len(key) - len(suffix)].decode()
                    if entity_id not in loaded:
                        others.append(entity_id)
    for start in range(0, len(others), _ENTITIES_AT_ONCE):
        chunk = others[start : start + _ENTITIES_AT_ONCE]
        have_windows = pipe.ask(
            [keyed(b"HEXISTS", entity_key(store.entity, entity_id), HEADER_FIELD) for entity_id in chunk]
        )
        left_over = [entity_id for entity_id, has_window in zip(chunk, have_windows, strict=True) if has_window]
        states = [store.new(entity_id, day) for entity_id in left_over]
        for state in states:
            state.restamp(0)
        _replace(store, states)


def _key_ends(entity: str) -> tuple[bytes, bytes]:
    """What surrounds length and id in the keys of one kind of entity."""
    key = entity_key(entity, "x")
    prefix, _, suffix = key.rpartition(b"\x01\x00\x00\x00x")
    return prefix, suffix


def _quoted(path: Path) -> str:
    return str(path).replace("'", "''")
