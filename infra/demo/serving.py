"""``make up``: the same system without a story, serving until Ctrl-C."""

from __future__ import annotations

import signal
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from infra.base.errors import UserError
from infra.base.progress import console
from infra.base.redis_url import RedisUrl
from infra.base.settings import Settings
from infra.demo.preparation import prepare, synthetic_shop, telling, train
from infra.demo.shoppers import active_shoppers, last_day
from infra.demo.system import (
    load_online_features,
    local_stack,
    promoted_release,
    serve_release,
    start_worker_and_gateway,
)

_SHOWN = 3


def keep_serving(
    settings: Settings, data: Path | None, reject_file: Path | None = None, time_zone: str = "UTC"
) -> None:
    """Serve until Ctrl-C; the first time, build everything.

    Every step is done once: what a former run has finished is taken up.

    Args:
        reject_file, time_zone: as in ``vitrine ingest``, for the first time.

    Raises:
        UserError: a release was built from other files before.
    """
    built_from = settings.var_dir / "built-from"
    is_built = (settings.releases_dir / "1").exists()
    if is_built and data is not None and built_from.exists() and built_from.read_text() != str(data.resolve()):
        raise UserError(
            f"{settings.var_dir} was built from {built_from.read_text()}; to serve {data} as well, "
            "set VITRINE_VAR to another folder, to serve it instead, remove this one"
        )
    if not is_built:
        from towers.evaluation.report.terminal import show_main

        data_dir = synthetic_shop(settings) if data is None else data
        prepared = prepare(settings, data_dir, reject_file=reject_file, time_zone=time_zone)
        built_from.write_text(str(data_dir.resolve()))
        show_main(train(settings, prepared, release=1).evaluation, console)
    with suppress(KeyboardInterrupt), local_stack(settings) as stack:
        if promoted_release(settings) is None:
            with telling("Filling the online store"):
                load_online_features(stack.settings, last_day(settings.tables_dir) + timedelta(days=1))
            with telling("Serving release 1"):
                serve_release(stack.settings, 1)
        with telling("Starting the stream worker and the gateway"):
            start_worker_and_gateway(stack)
        _say_how_to_ask(stack.settings)
        while True:
            signal.pause()


def _say_how_to_ask(settings: Settings) -> None:
    customers = active_shoppers(settings.tables_dir, _SHOWN)
    others = f"Other customers: {', '.join(customers[1:])}\n" if customers[1:] else ""
    console.print(
        f"[bold]Serving at {settings.gateway_address}[/bold]. Ask from another terminal:\n"
        f"  .venv/bin/vitrine recommend {customers[0]}\n"
        f'  grpcurl -plaintext -d \'{{"customer_id": "{customers[0]}"}}\' {settings.gateway_address} '
        "vitrine.v1.Recommender/Recommend\n"
        f"{others}"
        f"Kafka {settings.kafka_bootstrap_servers}, Redis {RedisUrl.parse(settings.redis_url)}, "
        f"TF Serving {settings.tf_serving_address}; "
        f"logs in {settings.logs_dir}.\nCtrl-C stops everything; the next `make up` goes on where this one stopped.",
        highlight=False,
        soft_wrap=True,
    )
