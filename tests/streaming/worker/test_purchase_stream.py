"""The worker's core on a real Redis against brute force: whatever happens on the way, the windows end up right."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError

from feature_repo.events.purchase import Purchase
from feature_repo.online.cluster_pipe import open_pipe
from feature_repo.online.redis_pipe import Pipe
from streaming.time.event_clock import EventClock, WatermarkPolicy
from streaming.time.expiry_index import SHARDS
from streaming.windows.updates import COLUMNS_PAY_FROM
from streaming.worker.purchase_stream import PartitionBatch, PurchaseStream
from tests.conftest import OnlineStore
from tests.streaming.worlds import DAY, article_features, customer_features, purchase, stored_features

CUSTOMERS = ("anna", "ben", "cleo", "dora")
ARTICLES = ("0108775015", "0108775044", "0110065001")
PARTITION_OF = {"anna": 0, "ben": 1, "cleo": 0, "dora": 1}


@pytest.fixture
def pipe(store: OnlineStore) -> Iterator[Pipe]:
    with closing(open_pipe(store.url)) as pipe:
        yield pipe


def batch(*purchases: Purchase, read_to_end: bool = True) -> dict[int, PartitionBatch]:
    """A round of partition 0."""
    return {0: PartitionBatch(purchases, purchases[-1].offset + 1 if purchases else 0, read_to_end)}


def fall(stream: PurchaseStream) -> None:
    while stream.tick(range(SHARDS), 3):
        pass


@dataclass
class Sold:
    """A purchase as a strategy draws it; ``days_later`` is relative to the shop's newest day so far."""

    customer: str
    article: str
    days_later: int
    at_us: int
    price_micros: int
    channel: int
    resend: bool


SOLD = st.builds(
    Sold,
    customer=st.sampled_from(CUSTOMERS),
    article=st.sampled_from(ARTICLES),
    days_later=st.one_of(st.integers(-2, 2), st.integers(-40, 7)),
    at_us=st.integers(0, 86_399_999_999),
    price_micros=st.integers(0, 10_000_000),
    channel=st.sampled_from((1, 2)),
    resend=st.booleans(),
)
STEP = st.one_of(
    st.lists(SOLD, max_size=12),
    st.sampled_from(("crash", "lost marks", "second worker", "tick", "silence")),
)


@pytest.mark.parametrize("columns_from", [1, COLUMNS_PAY_FROM])
@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.reuse, Phase.generate),  # each example takes a while: shrinking would take minutes
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(steps=st.lists(STEP, max_size=8))
def test_windows_equal_brute_force_whatever_comes_in_whatever_order(
    store: OnlineStore, columns_from: int, steps: list[list[Sold] | str]
) -> None:
    def worker() -> PurchaseStream:
        return PurchaseStream(open_pipe(store.url), EventClock(), columns_from=columns_from)

    store.client.flushall()
    workers = [worker()]
    current, newest_day = 0, DAY
    sent: dict[int, list[Purchase]] = {0: [purchase("anna", ARTICLES[0])], 1: []}
    read: dict[int, int] = {0: 0, 1: 0}

    def apply_all() -> None:  # what was not read yet, all partitions
        batches = {
            partition: PartitionBatch(sent[partition][read[partition] :], len(sent[partition]), True)
            for partition in sent
        }
        workers[current].apply(batches).commit()
        for partition in sent:
            read[partition] = len(sent[partition])

    apply_all()
    for step in steps:
        if isinstance(step, list):
            for sold in step:
                day = newest_day + sold.days_later
                newest_day = max(newest_day, day)
                partition = PARTITION_OF[sold.customer]
                new = purchase(
                    sold.customer, sold.article, day, at_us=sold.at_us, price_micros=sold.price_micros,
                    channel=sold.channel, partition=partition, offset=len(sent[partition]),
                )  # fmt: skip
                sent[partition].append(new)
                if sold.resend:
                    sent[partition].append(new._replace(offset=len(sent[partition])))
            apply_all()
        elif step == "crash":  # a new worker goes on from the positions in Redis
            workers[current] = worker()
            read = {partition: workers[current].positions().get(partition, 0) for partition in sent}
        elif step == "lost marks":  # it died after the windows were written and before the positions were
            workers[current] = worker()
            read = {partition: max(0, offset - 5) for partition, offset in read.items()}
            apply_all()
        elif step == "second worker":  # takes over; the first one is a zombie and comes back later
            if len(workers) == 1:
                workers.append(worker())
            current = 1 - current
            workers[current].forget_partitions(sent)  # as one does that was given them anew; its windows it remembers
            workers[current].refresh([])
            read = {partition: max(0, offset - 3) for partition, offset in read.items()}
            apply_all()
        elif step == "tick":
            workers[current].tick(range(SHARDS), 1)
        else:
            apply_all()
    apply_all()
    fall(workers[current])

    everything = sent[0] + sent[1]
    clock_day = workers[current].clock.day
    assert clock_day == max(p.day for p in everything)
    for customer_id in {p.customer_id for p in everything}:
        expected = customer_features(everything, customer_id, clock_day)
        stored = stored_features(store.client, "customer", customer_id)
        assert stored == expected or (not stored and not expected["purchases"])
    for article_id in {p.article_id for p in everything}:
        expected = article_features(everything, article_id, clock_day)
        stored = stored_features(store.client, "article", article_id)
        assert stored == expected or (not stored and not expected["units"])


def test_a_purchase_sent_twice_counts_once_for_customer_and_article(pipe: Pipe, store: OnlineStore) -> None:
    stream = PurchaseStream(pipe, EventClock())
    first = purchase("anna", "0108775015", offset=0, event_id="e1")
    outcome = stream.apply(batch(first, first._replace(offset=1))).commit()
    assert outcome.customers.duplicates == {(0, 1)}
    assert stored_features(store.client, "customer", "anna")["purchases"] == 1
    assert stored_features(store.client, "article", "0108775015")["units"] == 1


def test_windows_fall_without_new_purchases(pipe: Pipe, store: OnlineStore) -> None:
    stream = PurchaseStream(pipe, EventClock(WatermarkPolicy(leap_days=30)))
    stream.apply(batch(purchase("anna", "0108775015", DAY, offset=0))).commit()
    expected = {2: (1, 1, 1), 3: (1, 1, 0), 7: (1, 0, 0), 30: (0, 0, 0)}
    for days, (units, units_7d, units_3d) in expected.items():
        stream.apply(batch(purchase("ben", "0110065001", DAY + days, offset=days))).commit()
        fall(stream)
        stored = stored_features(store.client, "article", "0108775015")
        assert (stored["units"], stored["units_7d"], stored["units_3d"]) == (units, units_7d, units_3d)
    assert stored_features(store.client, "customer", "anna") == customer_features([], "anna", DAY + 30)
    assert not [field for field in store.client.keys("vitrine:expiry:customer:*") if str(DAY + 30).encode() in field]


def test_a_worker_that_lost_its_partition_cannot_write_over_newer_windows(pipe: Pipe, store: OnlineStore) -> None:
    zombie, owner = PurchaseStream(pipe, EventClock()), PurchaseStream(open_pipe(store.url), EventClock())
    one, two = purchase("anna", "0108775015", offset=0), purchase("anna", "0108775044", offset=1)
    zombie.apply(batch(one)).commit()
    owner.apply(batch(one, two)).commit()
    outcome = zombie.apply(batch(two)).commit()
    assert (outcome.customers.fenced, outcome.customers.counted) == (1, 0)
    assert stored_features(store.client, "customer", "anna")["purchases"] == 2
    assert stored_features(store.client, "article", "0108775044")["units"] == 1


def test_one_purchase_from_next_year_is_held_until_its_day_comes(pipe: Pipe, store: OnlineStore) -> None:
    stream = PurchaseStream(pipe, EventClock())
    stream.apply(batch(purchase("anna", "0108775015", DAY, offset=0))).commit()
    stream.apply(batch(purchase("ben", "0108775015", DAY + 365, offset=1))).commit()
    fall(stream)
    assert stream.clock.day == DAY
    assert stored_features(store.client, "article", "0108775015")["units"] == 1
    leap = [purchase(name, "0110065001", DAY + 365, offset=2 + n) for n, name in enumerate(("anna", "cleo", "dora"))]
    stream.apply(batch(*leap)).commit()
    fall(stream)
    assert stream.clock.day == DAY + 365
    assert stored_features(store.client, "article", "0108775015")["units"] == 1  # ben's, anna's has left
    assert stored_features(store.client, "customer", "ben")["purchases"] == 1


def test_the_event_time_of_a_view_only_grows(pipe: Pipe, store: OnlineStore) -> None:
    from feature_repo.online.format import decode_timestamp_micros
    from feature_repo.online.keys import entity_key, timestamp_field

    stream = PurchaseStream(pipe, EventClock())
    stamps = []
    for offset, day in enumerate((DAY, DAY, DAY - 3, DAY + 1, DAY - 28)):
        stream.apply(batch(purchase("anna", "0108775015", day, offset=offset))).commit()
        raw = store.client.hget(entity_key("customer", "anna"), timestamp_field("customer_activity_30d"))
        stamps.append(decode_timestamp_micros(raw))
    assert stamps == sorted(set(stamps))


def test_gateways_hear_which_articles_changed_and_what_time_it_is(pipe: Pipe, store: OnlineStore) -> None:
    stream = PurchaseStream(pipe, EventClock())
    stream.apply(
        batch(purchase("anna", "0108775044", offset=0), purchase("ben", "0108775015", at_us=17, offset=1))
    ).commit()
    ((_, change),) = store.client.xrange("vitrine:article-changes")
    assert change == {b"articles": b"0108775015,0108775044", b"clock": b"2020-09-20T00:00:00.000017Z"}
    assert store.client.get("vitrine:event-clock") == b"2020-09-20T00:00:00.000017Z"


def test_a_worker_that_is_behind_the_others_misses_no_expiry(pipe: Pipe, store: OnlineStore) -> None:
    ahead, behind = (PurchaseStream(open_pipe(store.url), EventClock(WatermarkPolicy(leap_days=30))) for _ in range(2))
    ahead.apply({1: PartitionBatch([purchase("ben", "0110065001", DAY + 20, partition=1)], 1, True)}).commit()
    fall(ahead)  # days up to here are swept
    behind.apply(batch(purchase("anna", "0108775015", DAY, offset=0), read_to_end=False)).commit()
    fall(ahead)
    stored = stored_features(store.client, "article", "0108775015")
    assert (stored["units"], stored["units_7d"], stored["units_3d"]) == (1, 0, 0)
    due = {int(key.split(b":")[3]) for key in store.client.scan_iter("vitrine:expiry:*")}
    assert due, "the purchases of both days leave the window some day"
    assert min(due) > DAY + 20, "nothing waits for days that nobody looks at any more"


def test_a_window_that_was_empty_when_a_worker_looked_still_falls(pipe: Pipe, store: OnlineStore) -> None:
    one, other = (PurchaseStream(open_pipe(store.url), EventClock(WatermarkPolicy(leap_days=30))) for _ in range(2))
    too_late = purchase("anna", "0108775015", DAY - 40, offset=1)
    one.apply(batch(purchase("ben", "0110065001", DAY, offset=0), too_late)).commit()
    other.apply({1: PartitionBatch([purchase("cleo", "0108775015", DAY, partition=1)], 1, True)}).commit()
    one.apply(batch(purchase("ben", "0110065001", DAY + 3, offset=2))).commit()
    fall(one)
    assert stored_features(store.client, "article", "0108775015")["units_3d"] == 0


def test_a_redis_that_was_emptied_behind_our_back_is_made_whole(pipe: Pipe, store: OnlineStore) -> None:
    first, second = purchase("anna", ARTICLES[0], offset=0), purchase("anna", ARTICLES[1], offset=1)
    stream = PurchaseStream(pipe, EventClock())
    stream.apply(batch(first)).commit()
    store.client.flushall()
    with pytest.raises(ConnectionError, match="has lost data"):
        stream.apply(batch(second)).commit()
    with pytest.raises(ConnectionError, match="has lost data"):
        stream.refresh([0])
    assert store.client.keys() == []
    again = PurchaseStream(pipe, EventClock())
    assert again.positions() == {}
    again.apply(batch(first, second)).commit()
    assert stored_features(store.client, "customer", "anna") == customer_features([first, second], "anna", DAY)
