"""Subcommands of this room: ``stream``, ``replay`` and ``dead-letters``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from feature_repo.commands import DAY, REJECT_FILE, TIME_ZONE
from feature_repo.contracts import TOPICS, TRANSACTIONS
from infra.base.errors import UserError
from infra.base.settings import Settings


@click.group(invoke_without_command=True)
@click.option("--bootstrap", is_flag=True, help="First load the windows of the last 30 days from the batch tables.")
@click.option(
    "--as-of", type=DAY, help="With --bootstrap: the clock to start at; purchases dated before it are loaded."
)
@click.option("--only-bootstrap", is_flag=True, help="Load the windows and stop.")
@click.option("--clock", type=click.Choice(["events", "wall"]), default="events", show_default=True,
              help="Expire windows by the purchases' own time or by the machine's.")  # fmt: skip
@click.option("--instance", help="A name for this worker in `vitrine stream status`.")
@click.option("--log-every", type=click.FloatRange(min=0.1), default=10.0, show_default=True, metavar="SECONDS",
              help="How long purchases may wait before they are in the event log.")  # fmt: skip
@click.option("--instances", type=click.IntRange(min=1), default=1, show_default=True,
              help="So many worker processes on this machine; more than partitions would idle.")  # fmt: skip
@click.option("--metrics-port", type=click.IntRange(1, 65_535),
              help="Answer Prometheus here; the second instance on the next port, and so on.")  # fmt: skip
@click.pass_context
def stream(
    context: click.Context,
    bootstrap: bool,
    as_of: datetime | None,
    only_bootstrap: bool,
    clock: str,
    instance: str | None,
    log_every: float,
    instances: int,
    metrics_port: int | None,
) -> None:
    """Update the 30-day features of customers and articles from Kafka, each purchase exactly once.

    Any number of these may run, on any number of hosts: they share the partitions. SIGTERM or Ctrl-C ends one cleanly;
    after anything worse the next goes on where the online store stands.
    """
    if context.invoked_subcommand is not None:
        return
    from streaming.worker.options import WorkerOptions
    from streaming.worker.processes import run_worker, run_workers

    settings = Settings.from_environment()
    if as_of and not (bootstrap or only_bootstrap):
        raise UserError("--as-of says where to bootstrap; give --bootstrap as well")
    if bootstrap or only_bootstrap:
        from streaming.bootstrap import bootstrap as load

        loaded = load(settings, as_of.date() if as_of else None)
        click.echo(
            f"windows of {loaded.customers:,} customers and {loaded.articles:,} articles from {loaded.purchases:,} "
            f"purchases loaded in {loaded.seconds:.1f} s, as of {loaded.as_of}"
        )
    if only_bootstrap:
        return
    options = WorkerOptions(wall_clock=clock == "wall", instance=instance, log_seconds=log_every)
    if instances > 1:
        run_workers(settings, options, metrics_port, instances)
    else:
        run_worker(settings, options, metrics_port)


@stream.command()
def status() -> None:
    """Show clock, lag by partition, and what each worker has counted."""
    from streaming.worker.status import status_lines, stream_status

    click.echo("\n".join(status_lines(stream_status(Settings.from_environment()))))


@stream.command("compact")
@click.option("--older-than-days", type=click.IntRange(min=0), default=1, show_default=True, metavar="N",
              help="Leave the last N days, and today, as they are.")  # fmt: skip
def compact_log(older_than_days: int) -> None:
    """Merge the event log's small files into one per day and partition.

    Safe beside workers, readers and another compaction, and to kill; made for cron, once a day. Files that are replaced
    stay for an hour, for whoever is reading them, and are removed by the next run after that.
    """
    from streaming.log.compaction import compact

    settings = Settings.from_environment()
    until = (datetime.now(UTC) - timedelta(days=older_than_days)).date()
    for log in sorted(path for path in settings.event_log_dir.glob("*") if path.is_dir()):
        done = compact(log, until)
        click.echo(
            f"{log.name}: {done.files:,} files are {done.merged_files:,} now; {done.removed:,} replaced ones removed, "
            f"{done.replaced:,} kept for readers"
        )


def _speed(_: click.Context, __: click.Parameter, text: str) -> float | None:
    if text == "max":
        return None
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise click.BadParameter(f"{text!r} is no speed; give purchases per second, such as 500, or max")
    return speed


@click.command()
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--speed", default="max", show_default=True, callback=_speed, help="Purchases per second, or max.")
@click.option("--from", "start", type=DAY, help="Send purchases dated from this day on.")
@click.option("--until", "end", type=DAY, help="Send purchases dated before this day.")
@REJECT_FILE
@TIME_ZONE
def replay(
    source: Path,
    speed: float | None,
    start: datetime | None,
    end: datetime | None,
    reject_file: Path | None,
    time_zone: str,
) -> None:
    """Send purchase files into Kafka at a chosen speed.

    SOURCE is var/tables, a purchases.parquet, or a folder in the layout of Kaggle's H&M competition. Purchases keep
    their ids and times, so those that the stream has seen are not counted again.
    """
    from streaming.events.producer import PurchaseProducer
    from streaming.replay import purchases_file
    from streaming.replay import replay as send

    settings = Settings.from_environment()
    with (
        purchases_file(source, settings.tables_dir, reject_file, time_zone) as path,
        PurchaseProducer(settings.kafka_bootstrap_servers, linger_ms=5) as producer,
    ):
        sent = send(path, producer, speed=speed, start=start.date() if start else None, end=end.date() if end else None)
    rate = sent.purchases / sent.seconds if sent.seconds else 0
    click.echo(f"{sent.purchases:,} purchases sent and acknowledged in {sent.seconds:.1f} s ({rate:,.0f} a second)")


TOPIC = click.argument("topic", type=click.Choice(TOPICS), default=TRANSACTIONS)


@click.group("dead-letters")
def dead_letters() -> None:
    """List events that could not be used, or put them back after a fix."""


@dead_letters.command("list")
@TOPIC
@click.option("--all", "put_back_too", is_flag=True, help="Also those that were put back.")
def list_letters(topic: str, put_back_too: bool) -> None:
    """Show where each bad event of TOPIC came from and why it was refused."""
    from streaming.log.dead_letter_replay import DeadLetterReplay

    box = DeadLetterReplay(Settings.from_environment().kafka_bootstrap_servers, topic)
    letters = box.letters(put_back_too=put_back_too)
    box.close()
    for letter in letters:
        click.echo(f"partition {letter.partition} offset {letter.offset}: {letter.reason}")
    click.echo(f"{len(letters)} dead letters of {topic}")


@dead_letters.command("replay")
@TOPIC
def replay_letters(topic: str) -> None:
    """Send the bad events of TOPIC to their topic again, each whole and once; those still bad come back here."""
    from streaming.log.dead_letter_replay import DeadLetterReplay

    box = DeadLetterReplay(Settings.from_environment().kafka_bootstrap_servers, topic)
    count = box.put_back()
    box.close()
    click.echo(f"{count} events put back into {topic}")
