"""One small shop, built and served by the very steps of ``make demo``: the tests of this folder share it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from infra.base.settings import Settings
from infra.demo.preparation import Prepared, prepare, train_two
from infra.demo.storefront import Storefront
from infra.demo.story import Till
from infra.demo.system import load_online_features, local_stack, serve_release, start_worker_and_gateway
from infra.local.ports import free_port
from infra.local.stack import LocalStack
from infra.synthetic.shop import ShopSize, write_shop
from streaming.events.producer import PurchaseProducer
from towers.evaluation.command import EvaluationRequest
from towers.evaluation.command import run as evaluate
from towers.evaluation.evaluation import Evaluation
from towers.training.pipeline import Trained


@dataclass(frozen=True)
class Shop:
    """What runs, and how it came to be."""

    settings: Settings
    stack: LocalStack
    prepared: Prepared
    trained: Trained  # release 1
    served: Evaluation  # release 1 on the next day's purchases, from its files and by the gateway
    storefront: Storefront
    till: Till


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Files, features, two releases, Redis, Kafka, model server, worker and gateway; the last day comes later."""
    folder: Path = tmp_path_factory.mktemp("shop")
    write_shop(ShopSize(customers=900, articles=400, days=61, purchases=20_300), folder / "files")
    later = hold_out_last_day(folder / "files" / "transactions_train.csv", folder / "later.csv")
    add_bad_row(folder / "files" / "transactions_train.csv")
    settings = Settings(folder / "var", gateway_address=f"127.0.0.1:{free_port()}")
    prepared = prepare(settings, folder / "files", "efficientnet-lite0", reject_file=folder / "bad.csv")
    assert prepared.files.rejected == {"transactions_train.csv": 1}
    trained = train_two(settings, prepared)
    with local_stack(replace(settings, clock="events"), environ={}) as stack:
        load_online_features(stack.settings, prepared.as_of)
        serve_release(stack.settings, 1)
        start_worker_and_gateway(stack)
        # Before any test buys something.
        request = EvaluationRequest(1, None, later, True, "bought again", 20_000, 7, {})
        served = evaluate(stack.settings, request)["holdout"]
        with (
            Storefront(stack.settings.gateway_address) as storefront,
            PurchaseProducer(stack.settings.kafka_bootstrap_servers) as kafka,
        ):
            till = Till(kafka, prepared.as_of)
            yield Shop(stack.settings, stack, prepared, trained, served, storefront, till)


def add_bad_row(purchases: Path) -> None:
    """Repeat a purchase, dated so that it would move the clock by decades."""
    with purchases.open("a") as file:
        file.write("2099-01-01" + purchases.read_text().splitlines()[1][len("2020-09-20") :] + "\n")


def hold_out_last_day(purchases: Path, later: Path) -> Path:
    """Move the last day's rows of a purchase file, which is in order, into another; returns that one."""
    header, *rows = purchases.read_text().splitlines(keepends=True)
    last_day = rows[-1][: len("2020-09-20")]
    purchases.write_text("".join([header, *(row for row in rows if not row.startswith(last_day))]))
    later.write_text("".join([header, *(row for row in rows if row.startswith(last_day))]))
    return later
