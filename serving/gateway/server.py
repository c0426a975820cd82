"""The gateway as a process: puts the parts together, tells its health, drains when asked to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import faiss
import grpc.aio
import redis.asyncio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection
from prometheus_client import start_http_server
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from infra.base.addresses import join_address
from infra.base.errors import UserError
from infra.base.listening import told_as_user_error
from infra.base.redis_url import RedisUrl
from infra.base.settings import Settings
from serving.gateway.interactions.interaction_log import InteractionLog, InteractionLogConfig
from serving.gateway.process_health import keep_out_of_collections, watch_event_loop, watched_collector
from serving.gateway.recommend import Recommender
from serving.gateway.service import SERVICE, RecommenderService
from serving.gateway.stages.arithmetic import ArithmeticThread
from serving.gateway.stages.customer_features import CustomerFeatures
from serving.gateway.stages.deadline import Budgets, Deadline
from serving.gateway.state.active_releases import ActiveReleases, ReleasesConfig
from serving.gateway.state.article_state import ArticleState, FollowConfig
from serving.gateway.state.cluster_reader import ClusterReader
from serving.gateway.state.known_articles import KnownArticles
from serving.gateway.state.watermark_clock import WatermarkClock, gateway_clock
from serving.proto import recommender_pb2_grpc
from serving.ranking.rerank import ShopRules
from serving.release.reader import Release
from serving.tf_serving.prediction import CHANNEL_OPTIONS, PredictionClient

_HEALTH_NAMES = (SERVICE, "")
_WARM_UP_MS = 5_000.0
# Python's default of 5 ms is how long a request would wait for a thread that computes, such as Kafka's producer.
_SWITCH_INTERVAL_S = 0.0005

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class GatewayConfig:
    """Everything about one gateway but the addresses of other services."""

    host: str = "127.0.0.1"
    port: int = 50051
    share_port: bool = False  # with other workers: listen only when ready, for the kernel deals out connections unasked
    metrics_port: int | None = None
    drain_s: float = 5.0  # requests under way at a stop get so long
    redis_connections: int = 64
    redis_timeout_s: float = 1.0
    budgets: Budgets = field(default_factory=Budgets)
    rules: ShopRules = field(default_factory=ShopRules)
    follow: FollowConfig = field(default_factory=FollowConfig)
    releases: ReleasesConfig = field(default_factory=ReleasesConfig)
    interaction_log: InteractionLogConfig = field(default_factory=InteractionLogConfig)


@dataclass(frozen=True)
class Gateway:
    """A gateway that answers; ``ready`` is set once a release is loaded and warmed up."""

    address: str
    ready: asyncio.Event


@asynccontextmanager
async def running_gateway(settings: Settings, config: GatewayConfig) -> AsyncIterator[Gateway]:
    """Serve until the block ends, then drain.

    Raises:
        UserError: the port is taken.
    """
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    faiss.omp_set_num_threads(1)
    event_clock = WatermarkClock()
    clock = gateway_clock(settings.clock, event_clock)
    interaction_log = InteractionLog(settings.kafka_bootstrap_servers, config.interaction_log)
    async with (
        _redis_client(settings, config) as redis_client,
        grpc.aio.insecure_channel(settings.tf_serving_address, options=_channel_options()) as channel,
    ):
        models = PredictionClient(channel)
        arithmetic = ArithmeticThread()

        def follow(release: Release) -> ArticleState:
            return ArticleState(release, settings.redis_url, clock, event_clock, config.follow)

        releases = ActiveReleases(
            models,
            settings.releases_dir,
            follow,
            lambda active: recommender.warm_up(active, Deadline(_WARM_UP_MS, config.budgets)),
            config.releases,
        )
        recommender = Recommender(
            releases, CustomerFeatures(redis_client), models, interaction_log, clock, config.rules, arithmetic
        )
        known_articles = KnownArticles(settings.tables_dir / "articles.parquet", releases)
        service = RecommenderService(
            recommender, releases, interaction_log, known_articles, clock, config.budgets, arithmetic
        )
        following = asyncio.create_task(releases.follow_label())
        if config.share_port:
            await releases.ready.wait()
        server, health_service, port = _server(config, service)
        for name in _HEALTH_NAMES:
            await health_service.set(name, health_pb2.HealthCheckResponse.NOT_SERVING)
        await server.start()
        tasks = (
            following,
            asyncio.create_task(_when_ready(releases.ready, interaction_log, known_articles, health_service)),
            asyncio.create_task(watch_event_loop()),
        )
        try:
            with watched_collector():
                yield Gateway(join_address(config.host, port), releases.ready)
        finally:
            # First tell balancers, then finish what has begun, then let go of what it needed.
            await health_service.enter_graceful_shutdown()
            await server.stop(config.drain_s)
            service.close()
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await releases.close()
            await asyncio.to_thread(arithmetic.close)
            await asyncio.to_thread(interaction_log.close)


async def serve(settings: Settings, config: GatewayConfig, announce: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; ``announce`` gets a line when it listens and one when it is ready."""
    stop = asyncio.Event()
    serving = asyncio.current_task()
    listens = False

    def ask_to_stop() -> None:
        stop.set()
        if not listens and serving is not None:
            serving.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask_to_stop)
    if config.metrics_port is not None:
        with told_as_user_error("metrics cannot be told", config.host, config.metrics_port, "--metrics-port"):
            start_http_server(config.metrics_port, addr=config.host)
    with suppress(asyncio.CancelledError):
        async with running_gateway(settings, config) as gateway:
            listens = True
            announce(f"gateway listens on {gateway.address}; models at {settings.tf_serving_address}")
            ready = asyncio.create_task(gateway.ready.wait())
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait({ready, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not stop.is_set():
                announce("gateway is ready")
            await stopped
            ready.cancel()
            announce("gateway stops: finishing the requests under way")


def _redis_client(settings: Settings, config: GatewayConfig) -> redis.asyncio.Redis | ClusterReader:
    def client_of(url: str) -> redis.asyncio.Redis:
        # A burst waits for a connection, as long as its budget allows, instead of being refused one. No retries inside
        # the client: a stage that fails is answered without, at once.
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            url,
            max_connections=config.redis_connections,
            timeout=config.redis_timeout_s,
            socket_timeout=config.redis_timeout_s,
            socket_connect_timeout=config.redis_timeout_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
        return redis.asyncio.Redis.from_pool(pool)

    url = RedisUrl.parse(settings.redis_url)
    return ClusterReader(url, client_of) if url.is_cluster else client_of(url.text)


def _channel_options() -> list[tuple[str, int]]:
    return [
        *CHANNEL_OPTIONS,
        # A model server that comes back is found again within half a second.
        ("grpc.initial_reconnect_backoff_ms", 100),
        ("grpc.min_reconnect_backoff_ms", 100),
        ("grpc.max_reconnect_backoff_ms", 500),
        # One that was cut off without a word is noticed within seconds, not a quarter of an hour.
        ("grpc.keepalive_time_ms", 10_000),
        ("grpc.keepalive_timeout_ms", 2_000),
    ]


def _server(
    config: GatewayConfig, service: RecommenderService
) -> tuple[grpc.aio.Server, health.aio.HealthServicer, int]:
    server = grpc.aio.server(options=[("grpc.so_reuseport", int(config.share_port))])
    recommender_pb2_grpc.add_RecommenderServicer_to_server(service, server)  # type: ignore[no-untyped-call]
    health_service = health.aio.HealthServicer()
    health_pb2_grpc.add_HealthServicer_to_server(health_service, server)
    reflection.enable_server_reflection((SERVICE, health.SERVICE_NAME, reflection.SERVICE_NAME), server)
    address = join_address(config.host, config.port)
    try:
        port = server.add_insecure_port(address)
    except RuntimeError:
        raise UserError(
            f"the gateway cannot listen on {address}: the port is taken; choose another with --port"
        ) from None
    return server, health_service, port


async def _when_ready(
    ready: asyncio.Event,
    interaction_log: InteractionLog,
    known_articles: KnownArticles,
    health_service: health.aio.HealthServicer,
) -> None:
    await ready.wait()
    # Only now: what these two import takes half a second each, which the first answer need not wait for.
    interaction_log.start()
    for name in _HEALTH_NAMES:
        await health_service.set(name, health_pb2.HealthCheckResponse.SERVING)
    try:
        await asyncio.to_thread(known_articles.newest)
    finally:
        keep_out_of_collections()
