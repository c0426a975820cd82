"""Several gateway processes on one port, for machines with cores to spare: the kernel deals out the connections."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import signal
import threading
from dataclasses import replace

import click

from infra.base.settings import Settings
from serving.gateway.server import GatewayConfig, serve

_RESTART_AFTER_S = 1.0

log = logging.getLogger(__name__)


def run(settings: Settings, config: GatewayConfig, workers: int) -> None:
    """Serve until SIGTERM or SIGINT with one process, or with several that are started again when they die."""
    if workers == 1:
        _run_worker(settings, config)
        return
    context = multiprocessing.get_context("spawn")
    stop = threading.Event()

    def start(number: int) -> multiprocessing.process.BaseProcess:
        metrics_port = None if config.metrics_port is None else config.metrics_port + number
        own = replace(config, share_port=True, metrics_port=metrics_port)
        process = context.Process(target=_run_worker, args=(settings, own), name=f"gateway-{number}")
        process.start()
        return process

    for signal_number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signal_number, lambda *_: stop.set())
    processes = [start(number) for number in range(workers)]
    while not stop.wait(_RESTART_AFTER_S):
        for number, process in enumerate(processes):
            if not process.is_alive():
                log.error("gateway worker %d ended with status %s; starting it again", number, process.exitcode)
                processes[number] = start(number)
    for process in processes:
        process.terminate()
    for process in processes:
        process.join()


def _run_worker(settings: Settings, config: GatewayConfig) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The event log says once that Kafka is away; its client would say so many times a second.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    asyncio.run(serve(settings, config, click.echo))
