"""Recommend beside a straight composition and beside its floor, alone and under load, while purchases stream.

Real Redis, Kafka, model server, stream worker and gateway; a made-up catalogue of H&M's size. The floor is what no
gateway in Python can go below: an empty call to it, one HMGET and the two model calls with bytes made before. Blocks of
the three alternate. `make bench-gateway`.
"""

from __future__ import annotations

import itertools
import os
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import numpy as np
import psutil
import redis
from grpc_health.v1 import health_pb2, health_pb2_grpc

from feature_repo.events.rules import purchase_event
from feature_repo.online.keys import entity_key, feature_field
from feature_repo.schema import CUSTOMER_HISTORY
from infra.base.calendar import DAY_MICROS
from infra.base.figures import Figure, write_figures
from infra.base.settings import Settings
from infra.local.command import VitrineCommand, gateway
from infra.local.kafka.server import KafkaServer
from infra.local.kafka.topics import create_topics
from infra.local.model_server import ModelServer
from infra.local.ports import free_port
from infra.local.redis import RedisServer
from serving.ranking.query_features import query_inputs
from serving.release.reader import Release
from serving.retrieval.customer import RECENT_PURCHASES, Customer
from serving.tf_serving.prediction import PREDICT, predict_request
from streaming.events.producer import PurchaseProducer
from tests.benchmarks.gateway_load import Load, closed_loop, one_caller, open_loop
from tests.benchmarks.made_up_shop import ARTICLES, TODAY, WINDOW, fill_online_store, write_bundle, write_models

BLOCKS = int(os.environ.get("VITRINE_BENCH_BLOCKS", 6))
CALLS = 150  # of a block
LOOP_SECONDS = 10.0
CALLERS = 16
PURCHASES_A_SECOND = 200
GUEST_SHARE = 0.1
CANDIDATES = 400
DEADLINE_S = 0.3  # of the open loop: a shop page waits no longer for a shelf


@dataclass(frozen=True)
class Metrics:
    """One look at a gateway's own metrics: sums, counts and buckets of histograms, by series."""

    series: dict[str, float]

    @classmethod
    def read(cls, port: int) -> Metrics:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response:
            pairs = (line.rsplit(" ", 1) for line in response.read().decode().splitlines() if line[0] != "#")
            return cls({series: float(value) for series, value in pairs})

    def mean_ms(self, before: Metrics, name: str, labels: str = "") -> float:
        total, count = (
            self.series.get(f"{name}_{part}{labels}", 0.0) - before.series.get(f"{name}_{part}{labels}", 0.0)
            for part in ("sum", "count")
        )
        return total / count * 1e3 if count else float("nan")

    def stages(self) -> list[str]:
        prefix = 'vitrine_stage_seconds_sum{stage="'
        return [series.removeprefix(prefix).removesuffix('"}') for series in self.series if series.startswith(prefix)]

    def percentile_ms(self, before: Metrics, name: str, percent: float) -> float:
        """The upper bound of the bucket that holds it, all labels together."""
        counts: dict[float, float] = {}
        for series, value in self.series.items():
            if series.startswith(f"{name}_bucket"):
                bound = float(series.split('le="')[1].split('"')[0])
                counts[bound] = counts.get(bound, 0.0) + value - before.series.get(series, 0.0)
        bounds = sorted(counts)
        return next((b * 1e3 for b in bounds if counts[b] >= percent / 100 * counts[bounds[-1]]), float("nan"))


class Floor:
    """What an answer cannot do without, with bytes made before."""

    def __init__(self, settings: Settings, release: Release, customer_id: str) -> None:
        gateway_channel = grpc.insecure_channel(settings.gateway_address)
        self._empty = health_pb2_grpc.HealthStub(gateway_channel).Check
        self._redis = redis.Redis.from_url(settings.redis_url, protocol=2)
        self._key = entity_key("customer", customer_id)
        self._fields = [feature_field(CUSTOMER_HISTORY.name, feature.name) for feature in CUSTOMER_HISTORY.features]
        self._predict = grpc.insecure_channel(settings.tf_serving_address).unary_unary(PREDICT)
        nothing = Customer.from_values(customer_id, {}, release.articles, TODAY)
        recent = np.full((1, RECENT_PURCHASES), 7, np.int32)
        tensors = query_inputs([nothing], release.query_vocabularies).tensors() | {"recent": recent}
        rows = np.random.default_rng(1).random((CANDIDATES, len(release.manifest.ranking_features)), np.float32)
        self._query_tower = predict_request("query_tower", tensors, version=1).SerializeToString()
        self._ranker = predict_request("ranker", {"features": rows}, version=1).SerializeToString()

    def milliseconds(self, calls: int) -> list[float]:
        taken = []
        for _ in range(calls):
            started = time.perf_counter()
            self._empty(health_pb2.HealthCheckRequest())
            self._redis.hmget(self._key, self._fields)
            self._predict(self._query_tower)
            self._predict(self._ranker)
            taken.append((time.perf_counter() - started) * 1e3)
        return taken


class StraightComposition(VitrineCommand):
    """The peer as a process, on a port of its own choice."""

    def __init__(self, settings: Settings, release_folder: Path) -> None:
        super().__init__("straight", [], settings, lambda command: command.has_logged("listens on"))
        self._release_folder = release_folder

    def _command(self) -> list[str]:
        return [sys.executable, "-m", "tests.benchmarks.straight_composition", str(self._release_folder)]

    @property
    def address(self) -> str:
        return "127.0.0.1:" + self.log_path.read_text().split("listens on ")[1].split()[0]


@contextmanager
def purchases_streaming(settings: Settings, customers: list[str], article_ids: list[str]) -> Iterator[None]:
    """So many purchases a second, while the block runs."""
    stop = threading.Event()

    def buy() -> None:
        rng, started = np.random.default_rng(2), time.perf_counter()
        with PurchaseProducer(settings.kafka_bootstrap_servers, linger_ms=5) as producer:
            for number in itertools.count():
                if stop.wait(max(0.0, number / PURCHASES_A_SECOND - (time.perf_counter() - started))):
                    return
                customer, article = customers[number % len(customers)], article_ids[int(rng.zipf(1.25)) % ARTICLES]
                at_us = TODAY * DAY_MICROS + number
                producer.send_soon(customer, purchase_event(f"b-{number}", at_us, customer, article, 20_000, 2), at_us)

    buyer = threading.Thread(target=buy)
    buyer.start()
    try:
        yield
    finally:
        stop.set()
        buyer.join()


def cpu_of(processes: dict[str, psutil.Process]) -> dict[str, float]:
    return {name: sum(process.cpu_times()[:2]) for name, process in processes.items()}


def test_recommend(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    vectors = write_bundle(tmp_path / "releases", rng)
    write_models(tmp_path / "models", vectors)
    metrics_port = free_port()
    with (
        RedisServer.start(tmp_path / "redis", tmp_path / "logs") as redis_server,
        KafkaServer.start(tmp_path / "kafka", tmp_path / "logs") as kafka,
        ModelServer.start(tmp_path / "models", tmp_path / "logs") as model_server,
    ):
        create_topics(kafka.bootstrap_servers)
        known = fill_online_store(redis.Redis.from_url(redis_server.url), rng)
        settings = Settings(
            var_dir=tmp_path,
            redis_url=redis_server.url,
            kafka_bootstrap_servers=kafka.bootstrap_servers,
            tf_serving_address=model_server.address,
            gateway_address=f"127.0.0.1:{free_port()}",
            clock=WINDOW,
        )
        release = Release.open(tmp_path / "releases" / "1")
        guests = [f"guest-{number}" for number in range(int(GUEST_SHARE * len(known)))]
        customers = np.random.default_rng(3).permutation(known + guests).tolist()
        started = time.perf_counter()
        worker = VitrineCommand("stream", ["stream"], settings, lambda command: command.has_logged("streaming:"))
        with gateway(settings, ["--metrics-port", str(metrics_port)]) as process, worker as stream:
            process.start_again()
            ready_s = time.perf_counter() - started
            stream.start_again()
            with StraightComposition(settings, tmp_path / "releases" / "1") as peer:
                peer.start_again()
                processes = {
                    name: psutil.Process(pid)
                    for name, pid in {
                        "gateway": process.pid, "model_server": model_server.pid, "redis": redis_server.pid,
                        "stream": stream.pid, "straight": peer.pid,
                    }.items()
                }  # fmt: skip
                bench = Bench(settings, metrics_port, customers, known, peer.address, processes)
                figures = bench.measure(Floor(settings, release, known[0]), list(release.articles.ids))
        figures["ready_seconds"] = Figure(round(ready_s, 2), "s")
    print(f"\n{ARTICLES} articles; machine's load {os.getloadavg()[0]:.1f}")
    for name, figure in figures.items():
        beside = f"   {figure.peer}: {figure.peer_value:.2f}" if figure.peer_value is not None else ""
        print(f"  {name:34} {figure.value:10.2f} {figure.unit}{beside}")
    write_figures(Settings.from_environment().reports_dir, "gateway", figures)


@dataclass
class Bench:
    """The measurements, in the order of the table."""

    settings: Settings
    metrics_port: int
    customers: list[str]
    known: list[str]
    peer_address: str
    processes: dict[str, psutil.Process]

    def measure(self, floor: Floor, article_ids: list[str]) -> dict[str, Figure]:
        address = self.settings.gateway_address
        for target in (address, self.peer_address):
            one_caller(target, self.customers, 200)
        floor.milliseconds(100)
        figures: dict[str, Figure] = {}
        quiet = one_caller(address, self.customers, BLOCKS * CALLS)
        with purchases_streaming(self.settings, self.known, article_ids):
            time.sleep(3)
            figures |= self._one_client(floor, quiet)
            figures |= self._under_load()
        return figures

    def _one_client(self, floor: Floor, quiet: Load) -> dict[str, Figure]:
        address, least = self.settings.gateway_address, []
        own, peer, cpu = Load(), Load(), dict.fromkeys(self.processes, 0.0)
        before = Metrics.read(self.metrics_port)
        for _ in range(BLOCKS):
            used = cpu_of(self.processes)
            own.milliseconds += one_caller(address, self.customers, CALLS).milliseconds
            cpu = {name: cpu[name] + value - used[name] for name, value in cpu_of(self.processes).items()}
            peer.milliseconds += one_caller(self.peer_address, self.customers, CALLS // 3).milliseconds
            least += floor.milliseconds(CALLS)
        after = Metrics.read(self.metrics_port)
        straight = "straight composition"
        stages = {
            f"stage_ms_{stage}": Figure(
                round(after.mean_ms(before, "vitrine_stage_seconds", f'{{stage="{stage}"}}'), 2), "ms"
            )
            for stage in after.stages()
        }
        return {
            "recommend_ms_p50": Figure(own.percentile(50), "ms", straight, peer.percentile(50)),
            "recommend_ms_p99": Figure(own.percentile(99), "ms", straight, peer.percentile(99)),
            "floor_ms_p50": Figure(float(np.percentile(least, 50)), "ms"),
            "recommend_over_floor": Figure(own.percentile(50) / float(np.percentile(least, 50)), "x"),
            "straight_over_recommend": Figure(peer.percentile(50) / own.percentile(50), "x"),
            "p99_streaming_over_quiet": Figure(own.percentile(99) / quiet.percentile(99), "x"),
            **stages,
            **{f"cpu_ms_{name}": Figure(value / (BLOCKS * CALLS) * 1e3, "ms") for name, value in cpu.items()},
            "gateway_rss_mib": Figure(self.processes["gateway"].memory_info().rss / 2**20, "MiB"),
        }

    def _under_load(self) -> dict[str, Figure]:
        address, straight = self.settings.gateway_address, "straight composition"
        before = Metrics.read(self.metrics_port)
        busy = closed_loop(address, self.customers, CALLERS, LOOP_SECONDS)
        peer = closed_loop(self.peer_address, self.customers, CALLERS, LOOP_SECONDS)
        capacity = busy.answers_per_s
        figures = {
            f"answers_per_s_{CALLERS}": Figure(capacity, "1/s", straight, peer.answers_per_s),
            f"recommend_ms_p50_{CALLERS}": Figure(busy.percentile(50), "ms", straight, peer.percentile(50)),
        }
        for share in (0.5, 0.9, 2.0):
            load = open_loop(address, self.customers, share * capacity, LOOP_SECONDS, DEADLINE_S)
            name = f"open_{share * 100:.0f}"
            print(f"{name}: {dict(load.codes)}, degraded {dict(load.degraded)}")
            figures |= {
                f"{name}_ms_p50": Figure(load.percentile(50), "ms"),
                f"{name}_ms_p99": Figure(load.percentile(99), "ms"),
                f"{name}_answered_over_capacity": Figure(load.answers_per_s / capacity, "x"),
            }
            if load.refused_ms:
                figures[f"{name}_refused_ms_p99"] = Figure(float(np.percentile(load.refused_ms, 99)), "ms")
        after = Metrics.read(self.metrics_port)
        for name, series in {
            "loop_lag": "vitrine_event_loop_lag_seconds",
            "gc_pause": "vitrine_gc_pause_seconds",
        }.items():
            figures[f"{name}_ms_p99"] = Figure(after.percentile_ms(before, series, 99), "ms")
        figures["gc_pause_ms_max"] = Figure(after.percentile_ms(before, "vitrine_gc_pause_seconds", 100), "ms")
        return figures
