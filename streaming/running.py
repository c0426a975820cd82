"""Runs a worker in this process: signals, log lines, metrics port."""

from __future__ import annotations

import logging
import signal
import sys
import threading
import time

from infra.settings import Settings
from streaming.events import instant_text
from streaming.metrics import Metrics
from streaming.worker import StreamWorker, WorkerOptions

_LINE_SECONDS = 5.0
READY = "streaming"


def run_worker(settings: Settings, options: WorkerOptions, metrics_port: int | None = None) -> None:
    """Work until SIGTERM or Ctrl-C.

    Raises:
        UserError: Kafka or Redis do not answer, or do not fit each other.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("kafka").setLevel(logging.WARNING)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics = Metrics()
    if metrics_port is not None:
        metrics.serve(metrics_port)
    worker = StreamWorker(settings, options, metrics)
    print(f"{READY}: Kafka {settings.kafka_bootstrap_servers}, Redis {settings.redis_url}", flush=True)
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
