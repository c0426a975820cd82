"""What the chaos campaign holds against a gateway; ``make chaos-gateway`` runs it."""

from __future__ import annotations

from dataclasses import replace

import grpc
import pytest

from tests.serving.gateway.chaos import DEADLINE_S, Outage, judge
from tests.serving.gateway.open_load import Call

USUAL = Call("anna", 0.0, 0.01, grpc.StatusCode.OK, {}, (("0000000001", 0.9),))
OUTAGE = Outage("model-server", "stopped", began=10.0, away_until=15.0, recovered=15.0, next_began=20.0)
AWAY = {"query_tower": "no answer within 91 ms", "ranker": "does not answer; asked again in 36 ms"}


def at(sent: float, **differences) -> Call:
    return replace(USUAL, sent=sent, answered=sent + 0.01, **differences)


GOOD = [at(9.0), at(12.0, degraded=AWAY), at(15.5, degraded=AWAY), at(16.0), at(19.0)]


def broken(*more: Call, without: int = len(GOOD)) -> list[str]:
    calls = [*GOOD[:without], *GOOD[without + 1 :], *more]
    return judge(100.0, {"anna": USUAL}, calls, [OUTAGE]).broken()


def test_a_gateway_that_names_what_is_away_and_is_soon_back_breaks_nothing() -> None:
    found = judge(100.0, {"anna": USUAL}, [*GOOD, at(12.0, code=grpc.StatusCode.RESOURCE_EXHAUSTED)], [OUTAGE])
    assert found.broken() == []
    assert (found.calls, found.refused, found.needless, found.outages[0].calls) == (6, 1, 0, 1)
    assert found.outages[0].full_after_s == pytest.approx(1.01)
    assert found.outages[0].degraded_until_s == pytest.approx(0.51)


def test_what_breaks_a_bound_is_named() -> None:
    assert broken(at(12.0, code=grpc.StatusCode.INTERNAL)) == ["1 calls failed: INTERNAL"]
    late = ["1 answers came past their deadline"]
    assert broken(at(12.0, code=grpc.StatusCode.DEADLINE_EXCEEDED)) == late
    assert broken(replace(at(9.0), answered=9.01 + DEADLINE_S)) == late
    assert broken(at(9.0, articles=())) == ["1 answers were not the usual ones and did not say so"]
    assert broken(at(12.0, degraded={"ranker": "UNAVAILABLE"})) == [
        "model-server stopped: 1 answers do not name what was away"
    ]
    assert broken(at(17.5, degraded=AWAY)) == ["model-server stopped: all as before only after 2.5 s"]
    assert broken(without=1) == ["model-server stopped: no call while it lasted"]


def test_what_an_answer_does_without_while_nothing_is_away_is_counted() -> None:
    assert judge(100.0, {"anna": USUAL}, [*GOOD, at(8.0, degraded=AWAY)], [OUTAGE]).needless == 1
