"""`vitrine materialize` against `feast materialize`: the same rows of all views into the same Redis.

pytest tests/benchmarks/bench_materialize.py --override-ini python_files='bench_*.py' -s
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import redis

from feature_repo.batch.pipeline import build_offline_tables
from feature_repo.files.file_layouts import ARTICLES
from feature_repo.materialize import materialize
from feature_repo.online.entity_values import fields_of
from feature_repo.online.keys import entity_key
from feature_repo.online.numeric_columns import numeric_view
from feature_repo.schema import ARTICLE_ACTIVITY_30D
from feature_repo.store import open_store
from infra.base.figures import Figure, write_figures
from infra.base.settings import Settings
from infra.local.redis import RedisServer

AS_OF = date(2020, 9, 21)
CUSTOMERS, ARTICLE_COUNT, PURCHASES = 20_000, 10_000, 200_000
ROUNDS = 3


def write_tables(folder: Path) -> None:
    """A shop of random purchases over 60 days."""
    folder.mkdir(parents=True)
    columns = ", ".join(f"'{name} ' || n % 100 AS {name}" for name in ARTICLES.columns[1:])
    duckdb.execute(
        f"""SET TimeZone = 'UTC';
        SELECT setseed(0.5);
        COPY (SELECT printf('%010d', n) AS article_id, {columns} FROM range({ARTICLE_COUNT}) AS numbers (n))
            TO '{folder}/articles.parquet';
        COPY (SELECT printf('%064x', n) AS customer_id, n % 2 = 0 AS fashion_news, n % 3 = 0 AS active,
                     'ACTIVE' AS club_member_status, 'NONE' AS fashion_news_frequency,
                     CAST(20 + n % 50 AS SMALLINT) AS age, printf('%064x', n * 7919) AS postal_code
              FROM range({CUSTOMERS}) AS numbers (n)) TO '{folder}/customers.parquet';
        COPY (SELECT printf('%09d', n) AS event_id,
                     make_timestamptz(epoch_us(DATE '2020-07-23') + (n * 60 // {PURCHASES}) * 86400000000 + n)
                         AS occurred_at,
                     CAST(occurred_at AS DATE) AS day,
                     printf('%064x', CAST(floor(random() * {CUSTOMERS}) AS BIGINT)) AS customer_id,
                     printf('%010d', CAST(floor(random() * {ARTICLE_COUNT}) AS BIGINT)) AS article_id,
                     CAST(random() * 60000 AS BIGINT) AS price_micros, CAST(1 + n % 2 AS TINYINT) AS sales_channel_id
              FROM range({PURCHASES}) AS numbers (n)) TO '{folder}/purchases.parquet'"""
    )


def seconds_of(client: redis.Redis, load: Callable[[], object]) -> float:
    client.flushall()
    started = time.perf_counter()
    load()
    return time.perf_counter() - started


def test_rows_per_second(tmp_path: Path) -> None:
    warnings.simplefilter("ignore")
    settings = Settings(tmp_path / "var")
    write_tables(settings.tables_dir)
    build_offline_tables(settings, AS_OF)
    with RedisServer.start(tmp_path / "redis", tmp_path / "logs") as server:
        settings = replace(settings, redis_url=server.url)
        client = redis.Redis.from_url(server.url)
        store = open_store(settings)
        end = datetime(AS_OF.year, AS_OF.month, AS_OF.day, tzinfo=UTC)
        rows = sum(load.rows for load in materialize(settings, AS_OF))
        theirs = seconds_of(client, lambda: store.materialize(datetime(2000, 1, 1, tzinfo=UTC), end))
        ours = statistics.median(seconds_of(client, lambda: materialize(settings, AS_OF)) for _ in range(ROUNDS))

        fields = fields_of([ARTICLE_ACTIVITY_30D])
        started = time.perf_counter()
        raw_rows = []
        for first in range(0, ARTICLE_COUNT, 5000):
            with client.pipeline(transaction=False) as pipeline:
                for number in range(first, first + 5000):
                    pipeline.hmget(entity_key("article", f"{number:010d}"), fields)
                raw_rows += pipeline.execute()
        fetched = time.perf_counter()
        numeric_view(ARTICLE_ACTIVITY_30D, raw_rows, end)
        decoded = time.perf_counter()

    print(f"\n{rows:,} rows: ours {rows / ours:,.0f} rows/s, feast materialize {rows / theirs:,.0f} rows/s")
    print(
        f"{ARTICLE_COUNT:,} articles: fetched in {fetched - started:.2f} s, decoded in {decoded - fetched:.3f} s",
    )
    figures = {
        "materialize_rows_per_second": Figure(rows / ours, "rows/s", "feast materialize", rows / theirs),
        "article_decode_microseconds": Figure((decoded - fetched) / ARTICLE_COUNT * 1e6, "us/article"),
    }
    write_figures(Settings.from_environment().reports_dir, "materialize", figures)
