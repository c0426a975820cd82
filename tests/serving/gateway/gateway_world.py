"""A shop of 40 articles with a release, what the online store holds about it, and a gateway in a thread to ask."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from feature_repo.contracts import ARTICLE_CHANGES_KEY
from feature_repo.online.format import encode_timestamp, encode_value
from feature_repo.online.keys import entity_key, feature_field, timestamp_field
from feature_repo.schema import (
    ARTICLE_ACTIVITY_30D,
    ARTICLE_AVAILABILITY,
    CUSTOMER_ACTIVITY_30D,
    CUSTOMER_HISTORY,
    View,
)
from infra.base.settings import Settings
from serving.gateway.interactions.interaction_log import InteractionLogConfig
from serving.gateway.server import GatewayConfig, running_gateway
from serving.gateway.state.active_releases import ReleasesConfig
from serving.gateway.state.article_state import FollowConfig
from serving.proto import recommender_pb2_grpc
from serving.ranking.query_features import QUERY_CATEGORIES, QUERY_NUMERIC
from serving.ranking.ranking_features import ranking_feature_names
from serving.release.manifest import MODELS, Manifest, SourceQuota
from serving.release.writer import ReleaseContent, write_release
from serving.retrieval.articles import CATEGORIES, ArticleTable
from serving.retrieval.sources.bought_together import NEIGHBOURS, BoughtTogetherSource
from serving.retrieval.sources.registry import source_class
from serving.retrieval.sources.source import Quota
from tests.serving.retrieval_worlds import TODAY, shop

ARTICLES = 40
DIM = 8
NOW = datetime(2020, 9, 20, 12, tzinfo=UTC)
BATCH_DAY = datetime(2020, 9, 20, tzinfo=UTC)
SOURCES = ("bought_again", "same_product", "bought_together", "department_trend", "tower", "trending")
LADIES, MEN = "Ladieswear", "Menswear"


def article(number: int) -> str:
    """Articles are numbered from 1."""
    return f"{number:010d}"


def article_table() -> ArticleTable:
    """Articles 1, 2, ... sell 40, 39, ... units; 1 and 2 are one product, 3 and 4 the next; the last ten are men's."""
    table = shop(
        [float(ARTICLES - n) for n in range(ARTICLES)],
        product=[n // 2 for n in range(ARTICLES)],
        department=[n // 10 + 1 for n in range(ARTICLES)],
    )
    table.vocabularies = table.vocabularies | {"index_group_name": ["", LADIES, MEN]}
    table.categories[:, CATEGORIES.index("index_group_name")] = [1] * (ARTICLES - 10) + [2] * 10
    return table


def item_vectors() -> np.ndarray:
    vectors = np.random.default_rng(3).normal(size=(ARTICLES, DIM)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def write_world_release(releases_dir: Path, number: int, quota: int = 12) -> None:
    """A release in which article n is bought together with article n + 5; each source proposes ``quota`` articles."""
    table = article_table()
    neighbours = np.full((ARTICLES, NEIGHBOURS), -1, np.int32)
    neighbours[:, 0] = (np.arange(ARTICLES) + 5) % ARTICLES
    weights = np.zeros((ARTICLES, NEIGHBOURS), np.float32)
    weights[:, 0] = 0.5
    together = BoughtTogetherSource(neighbours, weights)
    quotas = [
        Quota(together if name == together.name else source_class(name).load(Path(), table), quota) for name in SOURCES
    ]
    manifest = Manifest(
        release=number,
        as_of="2020-09-20",
        created_at="2020-09-20T00:00:00+00:00",
        seed=1,
        articles=ARTICLES,
        embedding_dim=DIM,
        temperature=0.1,
        prior_weight=0.1,
        sources=tuple(SourceQuota(quota.source.name, quota.limit) for quota in quotas),
        query_numeric=QUERY_NUMERIC,
        query_categories={name: ["", "ACTIVE"] for name in QUERY_CATEGORIES},
        ranking_features=ranking_feature_names(SOURCES),
        image_backbone="none",
        metrics={},
    )
    models = dict.fromkeys(MODELS, lambda folder: folder.mkdir(parents=True))
    write_release(releases_dir, ReleaseContent(manifest, table, item_vectors(), quotas, models, {}, {}))


def query_tower(inputs: Mapping[str, np.ndarray], version: int) -> dict[str, np.ndarray]:
    """The vector of the last article bought."""
    return {"query_embedding": item_vectors()[np.maximum(inputs["recent"][:, 0], 0)]}


def ranker(inputs: Mapping[str, np.ndarray], version: int) -> dict[str, np.ndarray]:
    """Units of the last 3 days decide, steeply; the best seller gets the version, so that it shows which ranker ran."""
    units = inputs["features"][:, ranking_feature_names(SOURCES).index("article_30d_units_3d")]
    return {"score": (version * np.exp((np.nan_to_num(units) - ARTICLES) / 4)).astype(np.float32)}


def store(client: Any, view: View, entity_id: str, values: Mapping[str, Any], at: datetime) -> None:
    """Write one row of a view as Feast does."""
    kinds = {feature.name: feature.kind for feature in view.features}
    fields = {feature_field(view.name, name): encode_value(kinds[name], value) for name, value in values.items()}
    client.hset(
        entity_key(view.entity, entity_id), mapping={**fields, timestamp_field(view.name): encode_timestamp(at)}
    )


def store_sales(client: Any, article_id: str, units_3d: int, at: datetime = BATCH_DAY) -> None:
    """Sales of the last 3 days, all of them yesterday."""
    last = int((at - timedelta(seconds=1)).timestamp() * 1e6)
    values = {
        "units": units_3d,
        "distinct_customers": units_3d,
        "units_7d": units_3d,
        "units_3d": units_3d,
        "trend": 1.0,
        "mean_price_micros": 20_000.0,
        "last_sale_at": last,
    }
    store(client, ARTICLE_ACTIVITY_30D, article_id, values, at)


def store_stock(client: Any, article_id: str, in_stock: bool) -> None:
    store(client, ARTICLE_AVAILABILITY, article_id, {"in_stock": in_stock}, BATCH_DAY)


def store_history(client: Any, customer_id: str, *bought: tuple[int, int]) -> None:
    """A customer who bought these (article number, days ago), newest first."""
    values = {
        "purchases": len(bought),
        "distinct_articles": len(bought),
        "active_days": len(bought),
        "spend_mean_micros": 20_000.0,
        "articles": [article(number) for number, _ in bought],
        "article_times": [1] * len(bought),
        "article_last_days": [TODAY - ago for _, ago in bought],
        "last_purchase_day": TODAY - bought[0][1],
    }
    store(client, CUSTOMER_HISTORY, customer_id, values, BATCH_DAY)


def store_purchase_of_today(client: Any, customer_id: str, number: int) -> None:
    store_purchases_of_today(client, customer_id, number)


def store_purchases_of_today(client: Any, customer_id: str, *numbers: int) -> None:
    """These articles, newest first, a microsecond between two."""
    micros = int(NOW.timestamp() * 1e6)
    instants = [micros + place for place in range(len(numbers))][::-1]
    values = {
        "purchases": len(numbers),
        "articles": [article(number) for number in numbers],
        "articles_at": instants,
        "last_purchase_at": instants[0],
    }
    store(client, CUSTOMER_ACTIVITY_30D, customer_id, values, NOW)


def store_shop(client: Any) -> None:
    """The sales that the release was made with, and one customer, ``known``, who bought article 7 two days ago."""
    for number in range(1, ARTICLES + 1):
        store_sales(client, article(number), ARTICLES + 1 - number)
    store_history(client, "known", (7, 2))


def write_catalogue(var_dir: Path, *article_ids: str) -> Path:
    """What the streaming worker knows, replaced as `vitrine ingest` does."""
    path = var_dir / "tables" / "articles.parquet"
    path.parent.mkdir(exist_ok=True)
    draft = path.with_name("draft")
    pq.write_table(pa.table({"article_id": list(article_ids)}), draft)
    draft.rename(path)
    return path


def announce(client: Any, *numbers: int, clock: datetime = NOW) -> None:
    """Tell gateways that articles have changed, as the streaming worker does."""
    client.xadd(ARTICLE_CHANGES_KEY, {"articles": ",".join(map(article, numbers)), "clock": clock.isoformat()})


def fast_config() -> GatewayConfig:
    """As in production, with shorter waits."""
    return GatewayConfig(
        port=0,
        drain_s=2.0,
        redis_connections=8,  # fewer than a burst of requests
        follow=FollowConfig(block_ms=50),
        releases=ReleasesConfig(poll_ms=30.0, retry_s=0.2),
        interaction_log=InteractionLogConfig(
            reconnect_s=0.2, connect_timeout_ms=300, delivery_timeout_ms=1_500, acknowledge_s=1.0
        ),
    )


@contextmanager
def gateway_thread(settings: Settings, config: GatewayConfig, ready: bool = True) -> Iterator[str]:
    """Run a gateway in a thread of its own and give its address."""
    started = threading.Event()
    address: list[str] = []
    failures: list[BaseException] = []
    loop = asyncio.new_event_loop()

    async def run() -> None:
        task = asyncio.current_task()
        assert task is not None
        stopping.append(task)
        async with running_gateway(settings, config) as gateway:
            address.append(gateway.address)
            if ready:
                await asyncio.wait_for(gateway.ready.wait(), 20)
            started.set()
            await asyncio.Event().wait()

    def main() -> None:
        try:
            loop.run_until_complete(run())
        except asyncio.CancelledError:
            pass
        except BaseException as error:
            failures.append(error)
        finally:
            started.set()

    stopping: list[asyncio.Task] = []
    thread = threading.Thread(target=main)
    thread.start()
    started.wait(30)
    if failures:
        thread.join()
        raise failures[0]
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(stopping[0].cancel)
        thread.join(20)
        loop.close()


@contextmanager
def stub_of(address: str) -> Iterator[recommender_pb2_grpc.RecommenderStub]:
    with grpc.insecure_channel(address) as channel:
        yield recommender_pb2_grpc.RecommenderStub(channel)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for a condition.

    Raises:
        AssertionError: it did not come about in time.
    """
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the condition did not come about"
        time.sleep(0.01)
