"""A new deployment goes on from batch with neither gap nor overlap."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redis

from feature_repo.contracts import BOOTSTRAPPING_KEY
from feature_repo.events.purchase import Purchase
from feature_repo.online.cluster_pipe import open_pipe
from infra.base.errors import UserError
from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from streaming.bootstrap import bootstrap
from streaming.events.producer import PurchaseProducer
from streaming.log.event_log import PURCHASE_COLUMNS
from streaming.replay import replay
from streaming.store.node_marks import mark_keys
from streaming.time.event_clock import EventClock, WatermarkPolicy
from streaming.time.expiry_index import SHARDS
from streaming.worker.purchase_stream import PartitionBatch, PurchaseStream
from tests.conftest import OnlineStore
from tests.streaming.conftest import wait_for
from tests.streaming.worker.test_worker import differences, shop
from tests.streaming.worlds import DAY, purchase

AS_OF = DAY - 5
AS_OF_DATE = date(1970, 1, 1) + timedelta(days=AS_OF)


def write_table(tables_dir: Path, purchases: list[Purchase]) -> Path:
    tables_dir.mkdir(parents=True, exist_ok=True)
    columns = zip(
        *[
            (p.event_id, p.occurred_at_us, p.day, p.customer_id, p.article_id, p.price_micros, p.sales_channel_id)
            for p in purchases
        ],
        strict=True,
    )
    arrays = [pa.array(values, type=field.type) for field, values in zip(PURCHASE_COLUMNS, columns, strict=True)]
    pq.write_table(pa.table(arrays, schema=PURCHASE_COLUMNS), tables_dir / "purchases.parquet")
    return tables_dir / "purchases.parquet"


@pytest.fixture
def settings(tmp_path: Path, store: OnlineStore) -> Settings:
    return Settings(var_dir=tmp_path / "var", redis_url=store.url)


def test_what_is_loaded_is_what_batch_knows_at_that_day(settings: Settings, store: OnlineStore) -> None:
    purchases = shop(800)
    write_table(settings.tables_dir, purchases)
    loaded = bootstrap(settings, AS_OF_DATE)
    before = [p for p in purchases if p.day < AS_OF]
    assert loaded.purchases == sum(p.day > AS_OF - 30 for p in before)
    assert differences(store.client, before, AS_OF) == {}
    assert store.client.get("vitrine:event-clock") == f"{AS_OF_DATE}T00:00:00.000000Z".encode()


def test_bootstrap_and_stream_make_what_the_stream_alone_makes(settings: Settings, store: OnlineStore) -> None:
    purchases = shop(800)
    write_table(settings.tables_dir, purchases)
    bootstrap(settings, AS_OF_DATE)
    stream = PurchaseStream(open_pipe(settings.redis_url), EventClock())
    # The topic holds some that batch knows already: they are known by their ids.
    rest = [p._replace(offset=n) for n, p in enumerate(p for p in purchases if p.day >= AS_OF - 2)]
    stream.apply({0: PartitionBatch(rest, len(rest), True)}).commit()
    while stream.tick(range(SHARDS), 10):
        pass
    assert differences(store.client, purchases, stream.clock.day) == {}


def test_loaded_windows_fall_by_themselves(settings: Settings, store: OnlineStore) -> None:
    purchases = shop(300)
    write_table(settings.tables_dir, purchases)
    bootstrap(settings)
    stream = PurchaseStream(open_pipe(settings.redis_url), EventClock(WatermarkPolicy(leap_days=30)))
    assert stream.clock.day == DAY
    new = purchase("zoe", "0000000000", DAY + 12, event_id="new")
    stream.apply({0: PartitionBatch([new], 1, True)}).commit()
    while stream.tick(range(SHARDS), 10):
        pass
    assert differences(store.client, [*purchases, new], DAY + 12) == {}


def test_bootstrapping_again_forgets_what_was_streamed_meanwhile(settings: Settings, store: OnlineStore) -> None:
    purchases = shop(300)
    write_table(settings.tables_dir, purchases)
    bootstrap(settings, AS_OF_DATE)
    stream = PurchaseStream(open_pipe(settings.redis_url), EventClock())
    stream.apply({0: PartitionBatch([purchase("zoe", "0000000000", AS_OF, event_id="new")], 1, True)}).commit()
    bootstrap(settings, AS_OF_DATE)
    known = [p for p in purchases if p.day < AS_OF]
    # zoe's window is empty, not absent: readers may have seen it
    zoe = purchase("zoe", "0000000001", AS_OF - 40, event_id="zoe")
    assert differences(store.client, [*known, zoe], AS_OF) == {}


def test_one_purchase_dated_years_ahead_waits_and_does_not_move_the_clock(
    settings: Settings, store: OnlineStore
) -> None:
    purchases = shop(300)
    ahead = purchase("zoe", "0000000001", DAY + 20, event_id="ahead")
    write_table(settings.tables_dir, [*purchases, ahead, purchase("max", "0000000002", DAY + 1_600, event_id="typo")])
    bootstrap(settings)
    assert differences(store.client, purchases, DAY) == {}
    stream = PurchaseStream(open_pipe(settings.redis_url), EventClock(WatermarkPolicy(leap_days=30)))
    assert stream.clock.day == DAY
    new = purchase("ann", "0000000000", DAY + 20, event_id="new")
    stream.apply({0: PartitionBatch([new], 1, True)}).commit()
    while stream.tick(range(SHARDS), 10):
        pass
    assert differences(store.client, [*purchases, ahead, new], DAY + 20) == {}


@pytest.mark.parametrize(
    ("as_of", "message"),
    [
        (date(2010, 1, 1), "no purchase is known before --as-of 2010-01-01; give a day from"),
        (date(2099, 1, 1), "--as-of 2099-01-01 is still to come"),
    ],
)
def test_a_day_that_cannot_be_leaves_the_windows_alone(
    settings: Settings, store: OnlineStore, as_of: date, message: str
) -> None:
    purchases = shop(300)
    write_table(settings.tables_dir, purchases)
    bootstrap(settings)
    with pytest.raises(UserError, match=message):
        bootstrap(settings, as_of)
    assert differences(store.client, purchases, DAY) == {}


def test_an_interrupted_bootstrap_is_noticed(settings: Settings, store: OnlineStore) -> None:
    is_cluster = store.url.startswith("redis+cluster")
    store.client.set(mark_keys(BOOTSTRAPPING_KEY, is_cluster)[-1], 1)  # whichever master still knows of it
    with pytest.raises(UserError, match="bootstrap"):
        PurchaseStream(open_pipe(settings.redis_url), EventClock())


def test_missing_tables_are_named(settings: Settings) -> None:
    with pytest.raises(UserError, match=r"purchases\.parquet is missing; run `vitrine ingest DATA_DIR` first"):
        bootstrap(settings)


def test_replayed_files_and_the_event_log_make_the_next_bootstrap(
    deployment: Settings, redis_client: redis.Redis, start_worker: Callable[..., VitrineCommand]
) -> None:
    """Bootstrap to a day, replay the rest through Kafka, bootstrap from the log: the same windows, reading goes on."""
    purchases = shop(600)
    path = write_table(deployment.tables_dir, purchases)
    worker = start_worker("--bootstrap", "--as-of", str(AS_OF_DATE))
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        sent = replay(path, producer, speed=None, start=AS_OF_DATE)
    assert sent.purchases == sum(p.day >= AS_OF for p in purchases)
    wait_for(lambda: not differences(redis_client, purchases, DAY), what="the windows")
    worker.stop()

    write_table(deployment.tables_dir, [p for p in purchases if p.day < AS_OF])
    redis_client.flushall()
    loaded = bootstrap(deployment)
    assert loaded.purchases == sum(p.day > DAY - 30 for p in purchases)
    assert differences(redis_client, purchases, DAY) == {}
    offsets: Any = redis_client.hvals("vitrine:positions:transactions")
    assert sum(map(int, offsets)) == sent.purchases


def test_a_replay_keeps_its_speed(tmp_path: Path) -> None:
    class Producer:
        def __init__(self) -> None:
            self.sent: list[str] = []

        def send_soon(self, customer_id: str, event: bytes, occurred_at_us: int, failed: object) -> None:
            self.sent.append(customer_id)

        def flush(self) -> None: ...

    path = write_table(tmp_path, shop(50))
    now = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    producer = Producer()
    sent = replay(path, producer, speed=10, clock=lambda: now, sleep=sleep)  # type: ignore[arg-type]
    assert len(producer.sent) == sent.purchases == 50
    assert sent.seconds == pytest.approx(4.9)
