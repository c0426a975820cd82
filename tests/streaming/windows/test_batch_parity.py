"""For any purchases in any order, the streamed windows equal what the batch expressions give for the same clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import ibis
import pyarrow.parquet as pq
import pytest
import redis

from feature_repo.batch.engine import duckdb_engine
from feature_repo.batch.purchases import read_purchases
from feature_repo.events.purchase import Purchase
from feature_repo.files.purchase_files import ingest
from feature_repo.online.cluster_pipe import open_pipe
from infra.base.calendar import DAY_MICROS
from infra.base.settings import Settings
from infra.local.command import VitrineCommand
from streaming.events.producer import NewPurchase, PurchaseProducer
from streaming.replay import replay
from streaming.time.event_clock import EventClock, WatermarkPolicy
from streaming.time.expiry_index import SHARDS
from streaming.worker.purchase_stream import PartitionBatch, PurchaseStream
from tests.conftest import OnlineStore
from tests.streaming.conftest import wait_for
from tests.streaming.windows.batch_comparison import EPOCH, as_table, compare
from tests.streaming.worlds import DAY, applied_offsets, purchase

Start = Callable[..., VitrineCommand]
HM = Path(__file__).resolve().parents[4] / "shared" / "data" / "hm"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ibis.BaseBackend]:
    with duckdb_engine(tmp_path_factory.mktemp("spill")) as engine:
        yield engine


def stream_of(store: OnlineStore, **watermark_policy: int) -> PurchaseStream:
    return PurchaseStream(open_pipe(store.url), EventClock(WatermarkPolicy(**watermark_policy)))


def let_fall(stream: PurchaseStream, day: int) -> None:
    stream.clock.move_to(day * DAY_MICROS)
    while stream.tick(range(SHARDS), 500):
        pass


def assert_equal(engine: ibis.BaseBackend, table: ibis.Table, client: redis.Redis, clock_day: int) -> int:
    """Returns how many entities were compared."""
    compared, differences = compare(engine, table, client, clock_day)
    assert differences == {}
    return compared


@pytest.mark.parametrize("seed", range(3))
def test_random_shops(engine: ibis.BaseBackend, store: OnlineStore, seed: int) -> None:
    rng = random.Random(seed)
    purchases: list[Purchase] = []
    for shop in range(20):  # side by side: entities do not influence each other, and one query computes them all
        for _ in range(rng.randrange(1, 25)):
            day = DAY - rng.choice((0, 1, 2, 3, 6, 7, 8, 28, 29, 30, 31, 32, 59, 60))
            number = len(purchases)
            purchases.append(
                purchase(
                    f"{rng.choice(('ann', 'bob', 'cleo'))}{shop}", f"{rng.randrange(3)}-{shop}", day, at_us=number,
                    price_micros=rng.randrange(60_000), channel=rng.choice((1, 2)), event_id=f"{day}-{number:09d}",
                )
            )  # fmt: skip
    arrived = [p._replace(offset=offset) for offset, p in enumerate(rng.sample(purchases, len(purchases)))]
    arrived += [p._replace(offset=len(arrived) + n) for n, p in enumerate(rng.sample(arrived, 20))]  # sent twice
    stream = stream_of(store, leap_days=100)
    for start in range(0, len(arrived), 50):
        chunk = arrived[start : start + 50]
        stream.apply({0: PartitionBatch(chunk, chunk[-1].offset + 1, True)}).commit()
    for clock_day in (DAY + 1, DAY + 4, DAY + 30):
        let_fall(stream, clock_day)
        assert assert_equal(engine, as_table(purchases), store.client, clock_day) > 100


@pytest.mark.skipif(not HM.exists(), reason="the real rows are not here")
def test_real_rows_replayed_through_kafka(
    engine: ibis.BaseBackend, deployment: Settings, redis_client: redis.Redis, start_worker: Start
) -> None:
    ingest(HM, deployment.tables_dir)
    first_day = EPOCH + timedelta(days=DAY - 44)
    table = read_purchases(engine, deployment.tables_dir, deployment.event_log_dir, EPOCH + timedelta(days=DAY + 1))
    table = table.filter(table.day >= DAY - 44)
    start_worker()
    with PurchaseProducer(deployment.kafka_bootstrap_servers, linger_ms=5) as producer:
        path = deployment.tables_dir / "purchases.parquet"
        sent = replay(path, producer, speed=None, start=first_day, end=EPOCH + timedelta(days=DAY + 1)).purchases
        closing_us = (DAY + 1) * DAY_MICROS
        producer.send(NewPurchase("closing", instant(closing_us), "closing", a_known_article(path), 1, 1))
    wait_for(partial(has_settled, redis_client, sent + 1), seconds=60, what="all applied, nothing left to fall")
    compared, differences = compare(engine, table, redis_client, DAY + 1)
    differences.pop(a_known_article(path), None)  # of the purchase that moves the clock to where batch has a row
    assert differences == {}
    assert compared > 5_000


def has_settled(client: redis.Redis, purchases: int) -> bool:
    applied = sum(applied_offsets(client).values())
    due = [key for day in range(DAY - 45, DAY + 2) for key in client.scan_iter(f"vitrine:expiry:*:{day}:*", 10_000)]
    return applied >= purchases and not due


def a_known_article(path: Path) -> str:
    return str(pq.ParquetFile(path).read_row_group(0, columns=["article_id"]).column("article_id")[0])


def instant(micros: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros)
