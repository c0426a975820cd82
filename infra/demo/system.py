"""Starts the running system, step by step: local stack, online features, one release serving, worker and gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import date

from infra.base.addresses import join_address, split_address
from infra.base.settings import Settings
from infra.local.command import VitrineCommand, gateway
from infra.local.kafka.topics import create_topics
from infra.local.ports import free_port, is_free
from infra.local.stack import LocalStack


@contextmanager
def local_stack(settings: Settings, environ: Mapping[str, str] | None = None) -> Iterator[LocalStack]:
    """Redis, Kafka and the model server, on the events' clock; the gateway's port is chosen, too.

    Args:
        environ: whose ``VITRINE_*`` variables point at services outside; the process's own by default.
    """
    settings = replace(settings, clock=settings.clock or "events", gateway_address=_gateway_address(settings))
    with LocalStack(settings, environ) as stack:
        if stack.kafka is None:
            create_topics(stack.settings.kafka_bootstrap_servers)
        if stack.model_server is not None:
            stack.model_server.start_again()
        yield stack


def load_online_features(settings: Settings, as_of: date) -> None:
    """Fill the online store: batch views from the offline tables, the 30-day windows from the purchases themselves."""
    from feature_repo.materialize import materialize
    from feature_repo.schema import VIEWS
    from streaming.bootstrap import bootstrap

    materialize(settings, as_of, [view for view in VIEWS if view.source != "stream"])
    bootstrap(settings, as_of)


def serve_release(settings: Settings, release: int) -> None:
    """Let the model server load a release and gateways follow it."""
    from serving.rollout.rollout import promote, stage

    stage(settings, release)
    promote(settings, release)


def promoted_release(settings: Settings) -> int | None:
    """The release that serves, None before the first."""
    from serving.rollout.releases import Releases
    from serving.rollout.rollout import CONFIG_FILE_NAME

    return Releases.read(settings.model_base_dir / CONFIG_FILE_NAME).stable


def start_worker_and_gateway(stack: LocalStack) -> None:
    """Start ``vitrine stream`` and ``vitrine gateway`` and return when both do their work."""
    from streaming.worker.processes import READY

    stack.run(VitrineCommand("stream", ["stream"], stack.settings, lambda command: command.has_logged(READY)))
    stack.run(gateway(stack.settings))


def _gateway_address(settings: Settings) -> str:
    """The configured port if it is free, else another."""
    host, port = split_address(settings.gateway_address)
    return settings.gateway_address if is_free(port) else join_address(host, free_port())
