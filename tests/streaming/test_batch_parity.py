"""For any purchases in any order, the streamed windows equal what the batch expressions give for the same clock."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import ibis
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import redis

from feature_repo.batch.engine import duckdb_engine
from feature_repo.batch.purchases import read_purchases
from infra.local.redis import RedisServer
from streaming.event_clock import Belief, EventClock
from streaming.expiry_index import SHARDS
from streaming.purchase import DAY_MICROS, Purchase, buyer_digest
from streaming.purchase_stream import PartitionBatch, PurchaseStream
from streaming.redis_pipe import RedisPipe
from tests.streaming.batch_comparison import EPOCH, as_table, compare
from tests.streaming.worlds import DAY, purchase

HM = Path(__file__).resolve().parents[3] / "shared" / "data" / "hm"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ibis.BaseBackend]:
    with duckdb_engine(tmp_path_factory.mktemp("spill")) as engine:
        yield engine


def stream_of(redis_server: RedisServer, **belief: int) -> PurchaseStream:
    return PurchaseStream(RedisPipe(redis_server.url), EventClock(Belief(**belief)))


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
def test_random_shops(
    engine: ibis.BaseBackend, redis_server: RedisServer, redis_client: redis.Redis, seed: int
) -> None:
    rng = random.Random(seed)
    purchases = []
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
    stream = stream_of(redis_server, leap_days=100)
    for start in range(0, len(arrived), 50):
        chunk = arrived[start : start + 50]
        stream.apply({0: PartitionBatch(chunk, chunk[-1].offset + 1, True)})
    for clock_day in (DAY + 1, DAY + 4, DAY + 30):
        let_fall(stream, clock_day)
        assert assert_equal(engine, as_table(purchases), redis_client, clock_day) > 100


@pytest.mark.skipif(not HM.exists(), reason="the real rows are not here")
def test_real_rows(
    engine: ibis.BaseBackend, redis_server: RedisServer, redis_client: redis.Redis, tmp_path: Path
) -> None:
    from feature_repo.batch.purchase_files import ingest

    ingest(HM, tmp_path)
    table = read_purchases(engine, tmp_path, tmp_path / "events", EPOCH + timedelta(days=DAY + 1))
    table = table.filter(table.day > DAY - 45)
    stream = stream_of(redis_server)
    offset = 0
    known = pq.read_table(tmp_path / "purchases.parquet").filter(
        (pc.field("day") > EPOCH + timedelta(days=DAY - 45)) & (pc.field("day") <= EPOCH + timedelta(days=DAY))
    )
    for chunk in known.to_batches(max_chunksize=3_000):
        purchases = [_purchase(row, offset + number) for number, row in enumerate(chunk.to_pylist())]
        offset += len(purchases)
        stream.apply({0: PartitionBatch(purchases, offset, True)})
    let_fall(stream, DAY + 1)
    assert assert_equal(engine, table, redis_client, DAY + 1) > 5_000


def _purchase(row: dict[str, Any], offset: int) -> Purchase:
    day = (row["day"] - EPOCH).days
    at_us = day * DAY_MICROS + row["occurred_at"].microsecond + 1_000_000 * row["occurred_at"].second
    return Purchase(
        row["event_id"], at_us, day, row["customer_id"], buyer_digest(row["customer_id"]), row["article_id"],
        row["price_micros"], row["sales_channel_id"], 0, offset,
    )  # fmt: skip
