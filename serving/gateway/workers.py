"""Several gateway processes on one port, for machines with cores to spare: the kernel deals out the connections."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

import click

from infra.base.listening import check_nobody_listens
from infra.base.settings import Settings
from infra.base.worker_processes import keep_running
from serving.gateway.server import GatewayConfig, serve


def run(settings: Settings, config: GatewayConfig, workers: int) -> None:
    """Serve until SIGTERM or SIGINT with one process, or with several that are started again when they die.

    Raises:
        UserError: a port is taken, or a worker cannot start for another reason that a user can mend.
    """
    # Before anything is loaded; and workers, who share their port with each other, would share a stranger's.
    check_nobody_listens("the gateway cannot listen", config.host, config.port, "--host or --port")
    if workers == 1:
        _run_worker(settings, config)
        return
    ports = [None if config.metrics_port is None else config.metrics_port + number for number in range(workers)]
    configs = [replace(config, share_port=True, metrics_port=port) for port in ports]
    keep_running(_run_worker, {f"gateway worker {number}": (settings, own) for number, own in enumerate(configs)})


def _run_worker(settings: Settings, config: GatewayConfig) -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # The event log says once that Kafka is away; its client would say so many times a second.
    logging.getLogger("kafka").setLevel(logging.CRITICAL)
    asyncio.run(serve(settings, config, click.echo))
