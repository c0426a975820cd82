"""``make demo``: the story of one shop, from its files to an answer that changes because somebody bought something."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

from rich.table import Table

from infra.base.figures import Figure, write_figures
from infra.base.progress import console, track
from infra.base.settings import Settings
from infra.demo.measurements import (
    Change,
    Latencies,
    UnchangedAnswerError,
    purchase_to_answer,
    recommend_latencies,
)
from infra.demo.preparation import Prepared, forget_former_run, prepare, synthetic_shop, telling, train_two
from infra.demo.shoppers import Bought, active_shoppers, colours, history
from infra.demo.storefront import Storefront, Traffic
from infra.demo.system import load_online_features, local_stack, serve_release, start_worker_and_gateway
from serving.proto.recommender_pb2 import Recommendation
from serving.rollout.rollout import promote, rollback, stage

if TYPE_CHECKING:
    from streaming.events.producer import PurchaseProducer
    from towers.evaluation.evaluation import Evaluation

DEMO_BACKBONE = "efficientnet-lite0"
"""Twenty times as fast as ResNet152, which ``make up`` and ``vitrine images`` take, and nothing to download."""
CALLS = 1_000
PURCHASES = 200
SHEET_CUSTOMERS = 6


@dataclass(frozen=True)
class Figures:
    """What the demo measures."""

    demo_seconds: float
    purchase_to_answer: Latencies | None  # None where no purchase changed an answer
    recommend: Latencies
    evaluation: Evaluation


def tell(settings: Settings, data: Path | None, reject_file: Path | None = None, time_zone: str = "UTC") -> None:
    """Tell the whole story and leave pictures and figures in the reports.

    Args:
        settings: whose ``var`` gets a folder ``demo`` for this run; reports go to its ``reports``.
        data: a folder in the layout of Kaggle's H&M files; None draws a synthetic shop.
        reject_file, time_zone: as in ``vitrine ingest``.
    """
    from towers.evaluation.report.markdown import page
    from towers.evaluation.report.terminal import show_main

    started = time.monotonic()
    own = replace(settings, var_dir=settings.var_dir / "demo" / ("synthetic" if data is None else data.resolve().name))
    forget_former_run(own)
    data_dir = synthetic_shop(own) if data is None else data
    prepared = prepare(own, data_dir, DEMO_BACKBONE, reject_file=reject_file, time_zone=time_zone)
    _tell_files(prepared)
    evaluation = train_two(own, prepared).evaluation
    show_main(evaluation, console)
    with local_stack(own) as stack:
        running = stack.settings
        with telling("Filling the online store"):
            load_online_features(running, prepared.as_of)
        with telling("Serving release 1"):
            serve_release(running, 1)
        with telling("Starting the stream worker and the gateway"):
            start_worker_and_gateway(stack)
        answers, changes = _serve(running, prepared, settings.reports_dir / "demo")
    figures = Figures(time.monotonic() - started, changes, answers, evaluation)
    (settings.reports_dir / "demo" / "metrics.md").write_text(page(evaluation))
    path = write_figures(settings.reports_dir, "demo", _as_figures(figures))
    _tell_end(figures, path, settings.reports_dir / "demo")


def _serve(settings: Settings, prepared: Prepared, reports_dir: Path) -> tuple[Latencies, Latencies | None]:
    """The part of the story in which everything runs."""
    from streaming.events.producer import PurchaseProducer

    shoppers = active_shoppers(settings.tables_dir, PURCHASES + 1)
    with (
        Storefront(settings.gateway_address) as storefront,
        PurchaseProducer(settings.kafka_bootstrap_servers) as kafka,
    ):
        till = Till(kafka, prepared.as_of)
        hero = shoppers[0]
        _tell_shopper(storefront, settings.tables_dir, hero)
        _draw_sheet(storefront, settings.tables_dir, prepared.data_dir, shoppers[:SHEET_CUSTOMERS], reports_dir)
        try:
            _tell_purchase(_buy(storefront, till, hero))
        except UnchangedAnswerError as error:
            console.print(f"  The shopper buys one of these: {error}", highlight=False, soft_wrap=True)
        answers = recommend_latencies(storefront, shoppers, CALLS)
        changes = _change_latencies(storefront, till, shoppers[1:] or shoppers)
    console.print(
        f"  Recommend, one client, {CALLS:,} calls: "
        f"p50 {answers.percentile(50):.1f} ms, p99 {answers.percentile(99):.1f} ms",
        highlight=False,
    )
    if changes is not None:
        console.print(
            f"  purchase acknowledged to changed answer, {len(changes.milliseconds)} tries: "
            f"p50 {changes.percentile(50):.0f} ms, p99 {changes.percentile(99):.0f} ms",
            highlight=False,
        )
    _roll_out(settings, shoppers)
    return answers, changes


def _change_latencies(storefront: Storefront, till: Till, shoppers: Sequence[str]) -> Latencies | None:
    """Let each buy something; once a purchase leaves an answer as it was, the catalogue has nothing else to show."""
    milliseconds = []
    for customer in track(shoppers, "buying, and asking until the answer knows"):
        try:
            milliseconds.append(_buy(storefront, till, customer).milliseconds)
        except UnchangedAnswerError as error:
            console.print(f"  no more purchases are timed: {error}", highlight=False, soft_wrap=True)
            break
    return Latencies(tuple(milliseconds)) if milliseconds else None


class Till:
    """Where purchases are rung up: each gets an id and the next instant of the day that the story plays on."""

    def __init__(self, kafka: PurchaseProducer, day: date) -> None:
        self._kafka = kafka
        self._opened = datetime(day.year, day.month, day.day, 9, tzinfo=UTC)
        self._numbers = count(1)

    def ring_up(self, customer_id: str, article: Recommendation) -> datetime:
        """Send a purchase to Kafka; returns its event time once Kafka has acknowledged it."""
        from streaming.events.producer import NewPurchase

        number = next(self._numbers)
        occurred_at = self._opened + timedelta(seconds=number)
        self._kafka.send(
            NewPurchase(
                event_id=f"demo-{number:09d}",
                occurred_at=occurred_at,
                customer_id=customer_id,
                article_id=article.article_id,
                price_micros=article.price_micros or 20_000,
                sales_channel_id=2,
            )
        )
        return occurred_at


def _buy(storefront: Storefront, till: Till, customer_id: str) -> Change:
    """Let the customer buy the first thing shown that is new to them."""
    shown = storefront.recommend(customer_id).articles
    article = next((article for article in shown if article.source != "bought_again"), shown[0])
    return purchase_to_answer(storefront, customer_id, lambda: till.ring_up(customer_id, article))


def _roll_out(settings: Settings, shoppers: Sequence[str]) -> None:
    """Promote the second release and roll back to the first while a shop keeps asking."""

    def say(text: str) -> None:
        console.print(f"  {text}", highlight=False)

    console.print("[bold]Promoting release 2 and rolling back, while the storefront keeps asking[/bold]")
    with Traffic(settings.gateway_address, shoppers) as traffic:
        traffic.wait_for_release(1)
        stage(settings, 2, say=say)
        promote(settings, 2, say=say)
        seconds = traffic.wait_for_release(2)
        say(f"the gateway answered from release 2 after {seconds:.1f} s")
        rollback(settings, 1, say=say)
        seconds = traffic.wait_for_release(1)
        say(f"the gateway answered from release 1 again after {seconds:.1f} s")
    say(
        f"{traffic.answers:,} answers meanwhile: {traffic.answers_by_release[1]:,} by release 1, "
        f"{traffic.answers_by_release[2]:,} by release 2, {len(traffic.failures)} failed, {traffic.degraded} degraded"
    )
    if traffic.failures:
        raise RuntimeError(f"requests failed during the rollout, the first with: {traffic.failures[0]}")


def _tell_files(prepared: Prepared) -> None:
    files = prepared.files
    console.print(
        f"  {files.articles:,} articles, {files.purchases:,} purchases by {files.buyers:,} customers "
        f"({files.buyers_without_profile:,} without a profile), {files.first_day} to {files.last_day}.\n"
        f"  The story plays on the morning of {prepared.as_of}.",
        highlight=False,
    )


def _tell_shopper(storefront: Storefront, tables_dir: Path, customer_id: str) -> None:
    console.print(f"[bold]A shopper: {customer_id[:12]}[/bold]")
    bought = Table("bought on", "article", "", box=None, padding=(0, 2))
    for line in history(tables_dir, customer_id, 8):
        bought.add_row(str(line.day), line.name, line.detail)
    console.print(bought)
    _show_answer(storefront.recommend(customer_id).articles, lambda _: "")


def _tell_purchase(change: Change) -> None:
    before = [article.article_id for article in change.before.articles]

    def moved(article: Recommendation) -> str:
        if article.article_id not in before:
            return "new"
        places = before.index(article.article_id) - [a.article_id for a in change.after.articles].index(
            article.article_id
        )
        return f"{'up' if places > 0 else 'down'} {abs(places)}" if places else ""

    console.print(
        f"[bold]The shopper buys one of these: {change.milliseconds:.0f} ms after Kafka has the purchase, "
        "the answer is another[/bold]",
        highlight=False,
    )
    _show_answer(change.after.articles, moved)


def _show_answer(articles: Sequence[Recommendation], note: Callable[[Recommendation], str]) -> None:
    shown = Table("", "recommended", "why", "score", "", box=None, padding=(0, 2))
    for place, article in enumerate(articles, start=1):
        shown.add_row(str(place), article.name, article.reason, f"{article.score:.4f}", note(article))
    console.print(shown)


def _draw_sheet(
    storefront: Storefront, tables_dir: Path, data_dir: Path, customer_ids: Sequence[str], reports_dir: Path
) -> None:
    """The contact sheet: history above, recommendations below; where pictures are missing, names on their colours."""
    from towers.reports.contact_sheet import SheetRow, Tile, contact_sheet

    shown = {
        customer_id: (history(tables_dir, customer_id, 8), storefront.recommend(customer_id, count=8).articles)
        for customer_id in customer_ids
    }
    colour = colours(tables_dir, {each.article_id for lists in shown.values() for part in lists for each in part})

    def bought(line: Bought) -> Tile:
        return Tile(line.article_id, line.name, f"{line.detail}, {line.day:%d %b}", colour[line.article_id])

    def recommended(article: Recommendation) -> Tile:
        return Tile(article.article_id, article.name, article.reason, colour[article.article_id])

    rows = [
        SheetRow(
            title=f"Customer {customer_id[:12]}",
            history=[bought(line) for line in lines],
            recommendations=[recommended(article) for article in articles],
        )
        for customer_id, (lines, articles) in shown.items()
    ]
    reports_dir.mkdir(parents=True, exist_ok=True)
    contact_sheet(rows, data_dir / "images", reports_dir / "recommendations.png")


def _as_figures(figures: Figures) -> dict[str, Figure]:
    rows = figures.evaluation.table["all"]
    measured = {
        "demo_seconds": Figure(round(figures.demo_seconds, 1), "s"),
        "recommend_ms_p50": Figure(round(figures.recommend.percentile(50), 2), "ms"),
        "recommend_ms_p99": Figure(round(figures.recommend.percentile(99), 2), "ms"),
    }
    changes = figures.purchase_to_answer
    if changes is not None:
        measured["purchase_to_answer_ms_p50"] = Figure(round(changes.percentile(50), 1), "ms")
        measured["purchase_to_answer_ms_p99"] = Figure(round(changes.percentile(99), 1), "ms")
    measured |= {
        metric: Figure(value, "1", "popularity", rows["popularity"][metric])
        for metric, value in rows["vitrine"].items()
    }
    share = figures.evaluation.achievable_share("warm")
    return measured | ({} if share is None else {"achievable_share_warm": Figure(share, "1")})


def _tell_end(figures: Figures, path: Path, reports_dir: Path) -> None:
    console.print(
        f"[bold]Done in {figures.demo_seconds:.0f} s.[/bold] Pictures and tables: {reports_dir}; figures: {path}.\n"
        "Everything is stopped again. `make up` keeps it running, `make demo DATA=folder` tells your files' story.",
        highlight=False,
        soft_wrap=True,
    )
