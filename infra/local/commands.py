"""``vitrine stack``: the local services by themselves."""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from dataclasses import replace

import click

from infra.base.redis_url import RedisUrl
from infra.base.settings import Settings


@click.group()
def stack() -> None:
    """Start, show or stop the local Redis, Kafka and model server.

    Services that VITRINE_REDIS_URL, VITRINE_KAFKA_BOOTSTRAP_SERVERS or VITRINE_TF_SERVING_ADDRESS point at are used as
    they are; nothing local is started for them.
    """


@stack.command()
@click.option("--redis-port", type=click.IntRange(1, 65_535), help="Port for Redis (a free one).")
@click.option("--kafka-port", type=click.IntRange(1, 65_535), help="Port for Kafka (a free one).")
@click.option("--model-server-port", type=click.IntRange(1, 65_535), help="Port for the model server (a free one).")
def start(redis_port: int | None, kafka_port: int | None, model_server_port: int | None) -> None:
    """Start the services and keep them running until Ctrl-C.

    Data and logs go below VITRINE_VAR (var/); the model server starts once var/models/models.config is there. Other
    vitrine commands find the services by themselves while this runs.
    """
    from infra.local.stack import LocalStack, Ports

    ports = Ports.from_environment()
    ports = replace(
        ports,
        redis=redis_port or ports.redis,
        kafka=kafka_port or ports.kafka,
        model_server=model_server_port or ports.model_server,
    )
    with suppress(KeyboardInterrupt), LocalStack(Settings.from_environment(), ports=ports) as running:
        _show(running.settings)
        click.echo("Ctrl-C stops them.")
        while True:
            signal.pause()


@stack.command()
def status() -> None:
    """Show what runs, where it logs and what it takes; exit code 1 when no stack runs."""
    import psutil

    from infra.local.stack_file import read_stack_file

    settings = Settings.from_environment()
    entry = read_stack_file(settings.run_dir)
    if entry is None or not entry.is_running:
        click.echo(f"No local stack runs on {settings.var_dir}.")
        raise click.exceptions.Exit(1)
    click.echo(f"A local stack runs on {settings.var_dir} (process {entry.owner_pid}).")
    for service in entry.services:
        state = "not running"
        if service.pid is not None:
            with suppress(psutil.Error):
                memory_mib = psutil.Process(service.pid).memory_info().rss / 2**20
                state = f"process {service.pid}, {memory_mib:.0f} MiB"
        click.echo(f"  {service.name:<14} {service.address:<16} {state:<26} {service.log_path}")
    _show(settings)


@stack.command()
def stop() -> None:
    """Stop the stack that runs, and wait until it is gone."""
    from infra.local.process import wait_until
    from infra.local.stack_file import read_stack_file

    settings = Settings.from_environment()
    entry = read_stack_file(settings.run_dir)
    if entry is None or not entry.is_running:
        click.echo(f"No local stack runs on {settings.var_dir}.")
        return
    os.kill(entry.owner_pid, signal.SIGTERM)
    wait_until(lambda: not entry.is_running, 60, f"the local stack (process {entry.owner_pid}) to end")
    click.echo("Stopped.")


def _show(settings: Settings) -> None:
    for what, address in (
        ("Redis", RedisUrl.parse(settings.redis_url)),
        ("Kafka", settings.kafka_bootstrap_servers),
        ("TF Serving", settings.tf_serving_address),
    ):
        click.echo(f"  {what:<11} {address}")
