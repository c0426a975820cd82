"""Runs a worker in this process: signals, log lines, metrics port."""

from __future__ import annotations

import gc
import logging
import signal
import socket
import sys
import threading
import time
from dataclasses import replace

from feature_repo.events.rules import instant_text
from infra.base.redis_url import RedisUrl
from infra.base.settings import Settings
from infra.base.worker_processes import keep_running
from streaming.worker.metrics import Metrics
from streaming.worker.options import WorkerOptions
from streaming.worker.worker import StreamWorker

_LINE_SECONDS = 5.0
_SELDOM_SECONDS = 30.0
_GARBAGE_THRESHOLDS = 1_000_000, 50, 1_000
READY = "streaming"


class Seldom(logging.Filter):
    """Lets the Kafka client's messages of one kind through once in a while: it repeats itself ten times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not record.name.startswith("kafka"):
            return True
        now = time.monotonic()
        if now - self._told.get(record.msg, -_SELDOM_SECONDS) < _SELDOM_SECONDS:
            return False
        self._told[record.msg] = now
        return True


def run_worker(settings: Settings, options: WorkerOptions, metrics_port: int | None = None) -> None:
    """Work until SIGTERM or Ctrl-C.

    Raises:
        UserError: Kafka or Redis do not answer, or do not fit each other.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("kafka").setLevel(logging.WARNING)
    for handler in logging.getLogger().handlers:
        handler.addFilter(Seldom())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics = Metrics()
    if metrics_port is not None:
        metrics.serve(metrics_port)
    worker = StreamWorker(settings, options, metrics)
    # Windows in memory are many small containers without cycles; looking for cycles there costs a quarter of the time.
    # A batch is up to half a million of them, all gone with the next: only what grows beyond that is looked through.
    gc.freeze()
    gc.set_threshold(*_GARBAGE_THRESHOLDS)
    print(f"{READY}: Kafka {settings.kafka_bootstrap_servers}, Redis {RedisUrl.parse(settings.redis_url)}", flush=True)
    if sys.stdout.isatty():
        threading.Thread(target=_tell, args=(worker, stop), daemon=True).start()
    worker.run(stop)
    print(f"stopped after {worker.progress.events:,} events, all applied, logged and committed", flush=True)


def _tell(worker: StreamWorker, stop: threading.Event) -> None:
    """One line every few seconds: rate, lag and clock."""
    events, at = 0, time.monotonic()
    while not stop.wait(_LINE_SECONDS):
        now, progress = time.monotonic(), worker.progress
        rate = (progress.events - events) / (now - at)
        events, at = progress.events, now
        clock = instant_text(progress.clock_us)[:19] if progress.clock_us else "not started"
        print(f"{rate:>9,.0f} events/s   lag {progress.lag:>9,}   clock {clock}", flush=True)


def run_workers(settings: Settings, options: WorkerOptions, metrics_port: int | None, count: int) -> None:
    """Run so many workers as processes of their own until SIGTERM or Ctrl-C; one that dies is started again."""
    name = options.instance or socket.gethostname()
    arguments = {}
    for number in range(count):
        own = replace(options, instance=f"{name}-{number}")
        port = None if metrics_port is None else metrics_port + number
        arguments[f"worker {own.instance}"] = settings, own, port
    keep_running(run_worker, arguments)
