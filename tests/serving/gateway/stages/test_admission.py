"""A call that could not be answered in time is refused at once, with the time to come back after."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest

from serving.gateway.stages.admission import Admission, Overloaded
from serving.gateway.stages.deadline import Budgets, Deadline
from tests.serving.gateway.gateway_world import wait_until


def test_a_call_is_let_in_while_those_before_it_leave_half_of_its_time() -> None:
    admission, deadline = Admission(), Deadline(200, Budgets())
    admission.learn(20.0)
    begun = [admission.admitted(deadline) for _ in range(6)]
    for call in begun[:5]:
        call.__enter__()
    with pytest.raises(Overloaded, match="5 calls are under way, some 100 ms of work") as refused:
        begun[5].__enter__()
    assert refused.value.retry_ms == 100
    begun[0].__exit__(None, None, None)
    with admission.admitted(deadline):
        pass


def test_a_slow_answer_alone_shuts_nobody_out() -> None:
    admission = Admission()
    admission.learn(5_000.0)
    first, second, third = (admission.admitted(Deadline(200, Budgets())) for _ in range(3))
    with first, second, pytest.raises(Overloaded):
        third.__enter__()


def test_what_an_answer_costs_follows_the_newest() -> None:
    admission = Admission()
    for _ in range(60):
        admission.learn(10.0)
    assert admission.slice_ms == pytest.approx(10)
    for _ in range(60):
        admission.learn(2.0)
    assert admission.slice_ms == pytest.approx(2, abs=0.1)


def test_while_several_are_under_way_the_time_between_answers_counts() -> None:
    now = [0.0]
    admission = Admission(lambda: now[0])
    calls = [admission.admitted(Deadline(60_000, Budgets())) for _ in range(101)]
    for call in calls:
        call.__enter__()
    for call in calls:
        now[0] += 0.04
        admission.answered(compute_ms=10.0)
        call.__exit__(None, None, None)
    assert admission.slice_ms == pytest.approx(40, abs=0.1)
    now[0] += 3_600  # in which nobody came
    with admission.admitted(Deadline(60_000, Budgets())):
        admission.answered(compute_ms=10.0)
    assert admission.slice_ms < 40


def test_who_comes_too_much_is_told_when_to_come_back(rig, monkeypatch):
    monkeypatch.setattr("serving.gateway.stages.admission._KEPT_BACK", 1e-6)
    rig.recommend()  # by now the gateway knows what an answer takes
    held = rig.models.hold("query_tower")
    with ThreadPoolExecutor(2) as pool:
        rig.models.asked.clear()
        begun = [pool.submit(rig.recommend) for _ in range(2)]
        wait_until(lambda: rig.models.asked.count(("query_tower", 1)) == 2)
        refused = rig.refused()
        del rig.models.held["query_tower"]
        held.set()
        assert all(len(call.result().articles) == 12 for call in begun)
    assert refused.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert "2 calls are under way" in refused.details()
    assert int(dict(refused.trailing_metadata())["grpc-retry-pushback-ms"]) >= 1
    rig.recommend()
