"""Redis, Kafka and the model server are killed, stopped and brought back in turn while customers ask a gateway.

``make chaos-gateway`` does so for three minutes and writes ``var/reports/figures/chaos_gateway.json``; exit code 1
where a bound is broken: every call is answered within its deadline, every answer that is less than usual says so, and
within two seconds of a recovery all is as before.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import grpc
import redis
from rich.console import Console
from rich.table import Table

from infra.base.figures import Figure, write_figures
from infra.base.settings import Settings
from infra.local.command import gateway
from infra.local.kafka.server import KafkaServer
from infra.local.kafka.topics import create_topics
from infra.local.model_server import ModelServer
from infra.local.ports import free_port
from infra.local.redis import RedisServer
from infra.local.server import Server
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.open_load import Call, OpenLoad
from tests.serving.gateway.test_with_model_server import save_models, write_config

CUSTOMERS = 100
DEADLINE_S = 0.3
"""A page that is built within a second, as shoppers take for at once, waits for one of its parts about so long."""
RECOVERED_WITHIN_S = 2.0
SHARE_OF_CAPACITY = 0.5
STAGES = {"redis": ("customer",), "model-server": ("query_tower", "ranker"), "kafka": ()}
"""What no answer can have while the server is away; impressions wait for Kafka, and are given up later."""
FLAGGED = {"redis": {"customer", "article_state"}, "model-server": {"query_tower", "ranker"}, "kafka": {"impressions"}}
_SETTLING_S = 0.05  # of an outage: a process that is sent SIGSTOP may finish what it is at


class PatientKafka(KafkaServer):
    """Its start takes two processors for seconds, which in production are not those of the gateway."""

    def _command(self) -> list[str]:
        return _with_patience(super()._command())


class PatientModelServer(ModelServer):
    """As ``PatientKafka``."""

    def _command(self) -> list[str]:
        return _with_patience(super()._command())


def _with_patience(command: list[str]) -> list[str]:
    return ["nice", "-n", "15", *command]


@dataclass(frozen=True)
class Outage:
    """One server away; instants are of ``time.monotonic``."""

    server: str
    how: str  # killed, or stopped: it accepts and does not answer
    began: float
    away_until: float  # then it was brought back, which takes a killed one some seconds
    recovered: float
    next_began: float  # or the end of the campaign


@dataclass(frozen=True)
class OutageReport:
    """What the calls say of one outage."""

    outage: Outage
    calls: int  # sent and answered while it lasted
    late: int  # calls of the outage and of the time after it
    unnamed: int  # of these, those that do not name what is away
    slowest_ms: float
    full_after_s: float
    degraded_until_s: float


@dataclass(frozen=True)
class Campaign:
    """What a campaign found."""

    capacity: float
    calls: int
    refused: int  # RESOURCE_EXHAUSTED
    failed: Counter[str]  # by status
    late: int
    needless: int  # answers without something while nothing was away, nor had been for two seconds
    silent: int  # answers that differ from the customer's usual one and say nothing of it
    outages: list[OutageReport]

    def broken(self) -> list[str]:
        """The bounds that do not hold."""
        found = [f"{number} calls failed: {code}" for code, number in self.failed.items()]
        found += [f"{self.late} answers came past their deadline"] * bool(self.late)
        found += [f"{self.silent} answers were not the usual ones and did not say so"] * bool(self.silent)
        for report in self.outages:
            name = f"{report.outage.server} {report.outage.how}"
            found += [f"{name}: {report.unnamed} answers do not name what was away"] * bool(report.unnamed)
            found += [f"{name}: no call while it lasted"] * (report.calls == 0)
            slowest = max(report.full_after_s, report.degraded_until_s)
            found += [f"{name}: all as before only after {slowest:.1f} s"] * (slowest >= RECOVERED_WITHIN_S)
        return found


def run_campaign(folder: Path, *, seconds: float, away_s: float, calm_s: float, seed: int) -> Campaign:
    """Outages one after the other, each server killed and stopped in turn, until the seconds are over."""
    rng = random.Random(seed)
    world.write_world_release(folder / "releases", 1)
    save_models(folder / "models", 1)
    write_config(folder / "models", stable=1)
    logs = folder / "logs"
    with (
        RedisServer.start(folder / "redis", logs) as redis_server,
        PatientKafka.start(folder / "kafka", logs) as kafka,
        PatientModelServer.start(folder / "models", logs) as model_server,
    ):
        create_topics(kafka.bootstrap_servers)
        settings = Settings(
            var_dir=folder,
            redis_url=redis_server.url,
            kafka_bootstrap_servers=kafka.bootstrap_servers,
            tf_serving_address=model_server.address,
            gateway_address=f"127.0.0.1:{free_port()}",
            clock="2020-09-20",
        )
        customers = _fill_online_store(redis_server.url, rng)
        with gateway(settings) as process:
            process.start_again()
            load = OpenLoad(settings.gateway_address, customers, DEADLINE_S, seed)
            load.each_customer_once()  # whose first calls may be slow
            capacity = load.capacity(3.0)
            usual = _usual_answers(load)
            with load.running(capacity * SHARE_OF_CAPACITY):
                time.sleep(calm_s)
                outages = _break_in_turn((redis_server, model_server, kafka), seconds, away_s, calm_s, rng)
    return judge(capacity, usual, load.calls, outages)


def _fill_online_store(url: str, rng: random.Random) -> list[str]:
    customers = [f"customer {number}" for number in range(CUSTOMERS)]
    with redis.Redis.from_url(url) as client:
        world.store_shop(client)
        for customer in customers:
            bought = rng.sample(range(1, world.ARTICLES + 1), 4)
            world.store_history(client, customer, *zip(bought, (2, 9, 30, 80), strict=True))
    return customers


def _usual_answers(load: OpenLoad) -> dict[str, Call]:
    """Every customer's full answer; nothing changes them but outages."""
    for _ in range(50):
        calls = load.each_customer_once()
        if all(call.code is grpc.StatusCode.OK and not call.degraded for call in calls):
            return {call.customer_id: call for call in calls}
        time.sleep(0.2)
    raise RuntimeError("the gateway gives no full answers to begin with")


def _break_in_turn(
    servers: Sequence[Server], seconds: float, away_s: float, calm_s: float, rng: random.Random
) -> list[Outage]:
    began: list[tuple[str, str, float, float, float]] = []
    until, turn = time.monotonic() + seconds, 0
    while time.monotonic() < until:
        # A round stops each server and the next one kills it.
        server, kills = servers[turn % len(servers)], turn // len(servers) % 2 == 1
        began.append(_break(server, kills, away_s * rng.uniform(0.7, 1.3)))
        time.sleep(calm_s)
        turn += 1
    ends = [start for _, _, start, *_ in began[1:]] + [time.monotonic()]
    return [Outage(*one, next_began) for one, next_began in zip(began, ends, strict=True)]


def _break(server: Server, kills: bool, away_s: float) -> tuple[str, str, float, float, float]:
    if kills:
        server.kill()
    else:
        os.kill(server.pid, signal.SIGSTOP)
    start = time.monotonic()
    try:
        time.sleep(away_s)
    finally:
        away_until = time.monotonic()
        if kills:
            server.start_again()
        else:
            os.kill(server.pid, signal.SIGCONT)
    return server.name, "killed" if kills else "stopped", start, away_until, time.monotonic()


def judge(capacity: float, usual: dict[str, Call], calls: Sequence[Call], outages: Sequence[Outage]) -> Campaign:
    """What the calls say of the gateway."""
    answered = [call for call in calls if call.code is grpc.StatusCode.OK]
    failed = Counter(call.code.name for call in calls if call.code is not grpc.StatusCode.OK)
    refused = failed.pop(grpc.StatusCode.RESOURCE_EXHAUSTED.name, 0)
    del failed[grpc.StatusCode.DEADLINE_EXCEEDED.name]
    late = [call for call in calls if _is_late(call)]
    silent = sum(not call.degraded and call.articles != usual[call.customer_id].articles for call in answered)
    needless = sum(bool(call.degraded) and not any(_touches(outage, call) for outage in outages) for call in answered)
    reports = [_judge_outage(answered, late, outage) for outage in outages]
    return Campaign(capacity, len(calls), refused, failed, len(late), needless, silent, reports)


def _is_late(call: Call) -> bool:
    return call.code is grpc.StatusCode.DEADLINE_EXCEEDED or call.answered - call.sent > DEADLINE_S


def _touches(outage: Outage, call: Call) -> bool:
    return outage.began <= call.answered and call.sent <= outage.recovered + RECOVERED_WITHIN_S


def _judge_outage(answered: Sequence[Call], late: Sequence[Call], outage: Outage) -> OutageReport:
    named, flagged, recovered = set(STAGES[outage.server]), FLAGGED[outage.server], outage.recovered
    away_since = outage.began + _SETTLING_S
    during = [call for call in answered if away_since <= call.sent and call.answered <= outage.away_until]
    after = [call for call in answered if recovered < call.answered <= outage.next_began]
    full = [call.answered for call in after if not flagged & call.degraded.keys()]
    less = [call.answered for call in after if flagged & call.degraded.keys()]
    return OutageReport(
        outage,
        len(during),
        sum(outage.began <= call.answered <= outage.next_began for call in late),
        sum(not named <= call.degraded.keys() for call in during),
        max((call.answered - call.sent for call in during), default=0.0) * 1e3,
        min(full, default=float("inf")) - recovered,
        max(less, default=recovered) - recovered,
    )


def _table(outages: Sequence[OutageReport]) -> Table:
    table = Table(
        "server", "how", "away s", "calls", "late", "unnamed", "slowest ms", "full after s", "degraded until s"
    )
    for report in outages:
        outage = report.outage
        numbers = (outage.recovered - outage.began, report.calls, report.late, report.unnamed, report.slowest_ms)
        after = (report.full_after_s, report.degraded_until_s)
        table.add_row(outage.server, outage.how, *(f"{n:.0f}" for n in numbers), *(f"{n:.2f}" for n in after))
    return table


def _figures(found: Campaign) -> dict[str, Figure]:
    return {
        "capacity": Figure(round(found.capacity), "calls/s"),
        "calls": Figure(found.calls, "calls"),
        "outages": Figure(len(found.outages), "outages"),
        "failed": Figure(found.failed.total(), "calls"),
        "late": Figure(found.late, "calls"),
        "silent": Figure(found.silent + sum(report.unnamed for report in found.outages), "calls"),
        "refused": Figure(found.refused, "calls"),
        "needless": Figure(found.needless, "calls"),
        "full_after": Figure(round(max(report.full_after_s for report in found.outages), 2), "s"),
        "degraded_until": Figure(round(max(report.degraded_until_s for report in found.outages), 2), "s"),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=180)
    asked = parser.parse_args()
    with TemporaryDirectory(prefix="vitrine-chaos-") as folder:
        found = run_campaign(Path(folder), seconds=asked.seconds, away_s=5.0, calm_s=5.0, seed=int(time.time()))
    Console(width=120).print(_table(found.outages))
    print(f"machine's load at the end {os.getloadavg()[0]:.1f}; what else runs on it makes answers late as well")
    for name, figure in _figures(found).items():
        print(f"{name:16}{figure.value:10g} {figure.unit}")
    print(write_figures(Settings.from_environment().reports_dir, "chaos_gateway", _figures(found)))
    for bound in found.broken():
        print(f"BROKEN: {bound}")
    return 1 if found.broken() else 0


if __name__ == "__main__":
    sys.exit(main())
