"""Windows that are folded by columns end up as those that are folded one by one, and only plain ones are."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest

from feature_repo.events.purchase import Purchase
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.keys import entity_key
from streaming.store.stored_windows import StoredWindows
from streaming.store.window_store import WindowStore
from streaming.time.event_clock import EventClock
from streaming.windows.column_fold import ColumnFold
from streaming.windows.definitions import CUSTOMER_WINDOW, over
from streaming.windows.state import APPLIED, HEADER, WindowState
from streaming.windows.tiles import ARTICLE_TILES, CUSTOMER_TILES
from streaming.windows.updates import WindowUpdates
from streaming.worker.purchase_stream import PartitionBatch, PurchaseStream
from tests.conftest import OnlineStore
from tests.streaming.worlds import DAY, customer_features, purchase, stored_features

NEVER = 10**9
PARTITIONS = 3


def rounds(seed: int) -> Iterator[dict[int, list[Purchase]]]:
    """What a shop of 150 customers sells in three months: round by round, by partition.

    Baskets at one instant, purchases around midnight, sent twice, weeks late and dated early; a bestseller, a customer
    who buys by the hundred, prices beyond what a double holds, and ids in all lengths and alphabets.
    """
    rng = random.Random(seed)
    customers = [f"{'é' * (n % 4)}customer {n}" for n in range(150)]
    articles = [f"{n:0{5 + n % 6}d}" for n in range(60)]
    sent: dict[int, list[Purchase]] = {partition: [] for partition in range(PARTITIONS)}
    day = DAY
    for number in range(25):
        day += rng.choice((0, 0, 1, 1, 2, 9, 35)) if number else 0
        begin = {partition: len(sent[partition]) for partition in sent}
        for _ in range(rng.randrange(20, 120)):
            who = 0 if rng.random() < 0.02 else rng.randrange(len(customers))
            own = sent[who % PARTITIONS]
            at_us = rng.choice((0, rng.randrange(86_400_000_000)))
            bought_on = day - rng.choice((0,) * 12 + (1, 1, 3, 28, 29, 30, 60, -1, -2))
            for _ in range(90 if who == 0 else rng.randrange(1, 5)):
                own.append(
                    purchase(
                        customers[who],
                        articles[0] if rng.random() < 0.2 else rng.choice(articles),
                        bought_on,
                        at_us=at_us,
                        price_micros=10**15 if who == 1 else rng.randrange(10**8),
                        channel=rng.choice((1, 2)),
                        partition=who % PARTITIONS,
                        offset=len(own),
                    )
                )
            if rng.random() < 0.05:
                own.append(rng.choice(own)._replace(offset=len(own)))
        yield {partition: sent[partition][start:] for partition, start in begin.items()}


def run(store: OnlineStore, columns_from: int, seed: int) -> dict[bytes, dict[bytes, object]]:
    """All hashes after the rounds, of which some are applied again by a worker that starts anew."""
    store.client.flushall()
    clock, rng = EventClock(), random.Random(seed)
    stream = PurchaseStream(open_pipe(store.url), clock, cached_entities=40, columns_from=columns_from)
    offsets = dict.fromkeys(range(PARTITIONS), 0)
    for read in rounds(seed):
        for partition, purchases in read.items():
            offsets[partition] += len(purchases)
        # A partition that is not read to its end holds the clock back: windows follow their own purchases beyond it.
        batches = {p: PartitionBatch(bought, offsets[p], rng.random() < 0.5) for p, bought in read.items()}
        stream.apply(batches).commit()
        if rng.random() < 0.2:
            stream = PurchaseStream(open_pipe(store.url), clock, cached_entities=40, columns_from=columns_from)
            stream.apply(batches).commit()
    return {key: contents(key, store.client.hgetall(key)) for key in store.client.scan_iter() if b"_id" in key}


def contents(key: bytes, fields: dict[bytes, bytes]) -> dict[bytes, object]:
    """A hash without what may differ: the version, and the order of pairs and entries."""
    tiles = CUSTOMER_TILES if b"customer_id" in key else ARTICLE_TILES
    told: dict[bytes, object] = {}
    for field, value in fields.items():
        if field == b"w":
            pairs = value[HEADER.itemsize :]
            size = APPLIED.itemsize
            told[field] = value[8 : HEADER.itemsize], {pairs[at : at + size] for at in range(0, len(pairs), size)}
        elif field.startswith(b"w"):
            told[field] = sorted(tiles.unpack("", value))
        else:
            told[field] = value
    return told


@pytest.mark.parametrize("seed", range(4))
def test_everything_in_redis_is_as_if_folded_one_by_one(
    store: OnlineStore, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    shares: list[float] = []

    def watched(self: ColumnFold, *arguments: Any) -> object:
        plain, folded = fold(self, *arguments)
        shares.append(plain.mean())
        return plain, folded

    fold = ColumnFold.fold
    one_by_one = run(store, NEVER, seed)
    monkeypatch.setattr(ColumnFold, "fold", watched)
    by_columns = run(store, 1, seed)
    assert min(shares) < 1
    assert sum(shares) / len(shares) > 0.5, "most windows are plain"
    assert by_columns.keys() == one_by_one.keys()
    for key, told in one_by_one.items():
        assert by_columns[key] == told, key


def stored(known: Sequence[Purchase], day: int = DAY, early: Sequence[Purchase] = ()) -> StoredWindows:
    """One customer's window at this day, as Redis holds it."""
    days = range(DAY - 29, DAY + 2)
    state = WindowState("anna", entity_key("customer", "anna"), CUSTOMER_WINDOW, CUSTOMER_TILES, day)
    state.take(known)
    state.applied = {p.partition: p.offset for p in [*known, *early]}
    tiles = {p.day: b"".join(CUSTOMER_TILES.pack(other) for other in known if other.day == p.day) for p in known}
    waiting = b"".join(map(CUSTOMER_TILES.pack, early)) or None
    return StoredWindows.of([[state.header(b"version "), waiting, *[tiles.get(day) for day in days]]], days)


BEFORE = [purchase("anna", f"{n:010d}", DAY - n, offset=n) for n in range(5)]
NEXT = purchase("anna", "0108775015", DAY, offset=7)


@pytest.mark.parametrize(
    ("what", "window", "comes", "is_plain"),
    [
        ("a purchase like others", stored(BEFORE), [NEXT], True),
        ("of yesterday", stored(BEFORE), [NEXT._replace(day=DAY - 1)], True),
        ("of tomorrow, which others have reached", stored(BEFORE), [NEXT._replace(day=DAY + 1)], True),
        ("by another partition", stored(BEFORE), [NEXT._replace(partition=1, offset=0)], True),
        ("late", stored(BEFORE), [NEXT._replace(day=DAY - 30)], False),
        ("early", stored(BEFORE), [NEXT._replace(day=DAY + 2)], False),
        ("applied before", stored(BEFORE), [NEXT._replace(offset=4)], False),
        ("sent twice", stored(BEFORE), [NEXT, NEXT._replace(offset=8)], False),
        ("sent before", stored(BEFORE), [NEXT._replace(event_id=BEFORE[3].event_id)], False),
        ("others wait for their day", stored(BEFORE, early=[NEXT._replace(day=DAY + 9, offset=6)]), [NEXT], False),
        ("the window is far ahead", stored([], day=DAY + 2), [NEXT], False),
        ("the window is behind, its days were asked for", stored(BEFORE, day=DAY - 3), [NEXT], True),
        ("much at once", stored([]), [NEXT._replace(event_id=f"{n}", offset=n) for n in range(257)], False),
        ("large", stored([NEXT._replace(event_id=f"{n}", offset=n) for n in range(150)]), [NEXT._replace(offset=150)],
         False),
        ("beyond a double", stored(BEFORE), [NEXT._replace(price_micros=1 << 53)], False),
    ],
)  # fmt: skip
def test_only_plain_windows_are_folded_by_columns(
    what: str, window: StoredWindows, comes: list[Purchase], is_plain: bool
) -> None:
    plain, folded = ColumnFold(CUSTOMER_WINDOW, CUSTOMER_TILES).fold(window, [comes], DAY, DAY + 1)
    assert plain.tolist() == [is_plain], what
    assert (folded is not None) is is_plain


class Counting:
    """An aggregation as somebody writes it who is in no hurry: without ``column``."""

    def initialize(self) -> list[int]:
        return []

    def add(self, state: list[int], purchases: Iterable[Purchase]) -> None:
        state += [purchase.day for purchase in purchases]

    def expire(self, state: list[int], first_day: int) -> None:
        state[:] = [day for day in state if day >= first_day]

    def value(self, state: list[int], first_day: int) -> int:
        return sum(day >= first_day for day in state)


def test_a_window_with_an_aggregation_without_columns_is_folded_one_by_one(store: OnlineStore) -> None:
    window = replace(
        CUSTOMER_WINDOW,
        aggregations={**CUSTOMER_WINDOW.aggregations, "counting": Counting()},
        rules={**CUSTOMER_WINDOW.rules, "purchases": over("counting")},
    )
    assert CUSTOMER_WINDOW.has_columns
    assert not window.has_columns
    updates = WindowUpdates(WindowStore(open_pipe(store.url), window, CUSTOMER_TILES), columns_from=1)
    assert updates.apply({"anna": BEFORE}, DAY, DAY).commit().counted == len(BEFORE)
    assert stored_features(store.client, "customer", "anna") == customer_features(BEFORE, "anna", DAY)
