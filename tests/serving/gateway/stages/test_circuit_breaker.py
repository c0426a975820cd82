"""What hangs is left alone after a few calls, asked by one probe at a time, and used again once it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
import redis
from prometheus_client import REGISTRY

from serving.gateway.stages import circuit_breaker
from serving.gateway.stages.circuit_breaker import FAILURES, OVER_S, CircuitBreaker
from serving.gateway.stages.deadline import Budgets, Deadline, StageFailed

PROBE_EVERY_S = 0.01


class Dependency:
    """Hangs until it is told to answer."""

    def __init__(self) -> None:
        self.answer: Exception | str | None = None  # None: hangs
        self.asked = self.asked_now = self.asked_at_once = 0

    async def ask(self) -> str:
        self.asked += 1
        self.asked_now += 1
        self.asked_at_once = max(self.asked_at_once, self.asked_now)
        try:
            await asyncio.sleep(10 if self.answer is None else 0)
        finally:
            self.asked_now -= 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return str(self.answer)


class World:
    """A breaker of the ranker under a clock that stands still."""

    def __init__(self) -> None:
        self.now = 0.0
        self.dependency = Dependency()
        self.breaker = CircuitBreaker("ranker", clock=lambda: self.now)

    async def ask(self, allowed_ms: float = 30.0) -> str:
        """The answer, or why there is none."""
        try:
            return await self.breaker.spend(Deadline(allowed_ms, Budgets()), self.dependency.ask)
        except StageFailed as failure:
            return str(failure)

    async def fail(self, times: int = FAILURES, over_s: float = OVER_S) -> None:
        for number in range(times):
            await self.ask()
            self.now += over_s if number == times - 2 else 0.0
        await asyncio.sleep(0)

    def gauge(self) -> float | None:
        return REGISTRY.get_sample_value("vitrine_circuit_open", {"stage": "ranker"})


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    made = World()
    yield made
    made.breaker.close()


@pytest.fixture(autouse=True)
def _quick_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuit_breaker, "PROBE_EVERY_S", PROBE_EVERY_S)


def run(story: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(story, 20))


def test_a_dependency_that_hangs_is_left_alone_and_then_asked_by_one_probe_at_a_time() -> None:
    async def story() -> None:
        async with world() as w:
            assert w.gauge() == 0
            await w.fail()
            asked = w.dependency.asked
            w.dependency.asked_at_once = 0
            for _ in range(20):
                assert await w.ask() == f"does not answer; asked again in {PROBE_EVERY_S * 1e3:.0f} ms"
            assert w.dependency.asked == asked
            assert w.gauge() == 1
            while w.dependency.asked < asked + 3:
                await asyncio.gather(*(w.ask() for _ in range(10)))
                await asyncio.sleep(0.001)
            assert w.dependency.asked_at_once == 1

    run(story())


@pytest.mark.parametrize("answer", ["at last", ValueError("told to fail")], ids=["answer", "error"])
def test_it_is_used_again_once_it_answers_though_nobody_calls(answer: Exception | str) -> None:
    async def story() -> None:
        async with world() as w:
            await w.fail()
            assert w.breaker.is_open
            w.dependency.answer = answer
            while w.breaker.is_open:
                await asyncio.sleep(0.001)
            assert w.gauge() == 0
            assert await w.ask() in ("at last", "ValueError")
            asked = w.dependency.asked
            await asyncio.sleep(5 * PROBE_EVERY_S)
            assert w.dependency.asked == asked

    run(story())


@pytest.mark.parametrize("error", [redis.ConnectionError(), redis.TimeoutError()], ids=["connection", "timeout"])
def test_who_cannot_be_reached_does_not_answer_either(error: Exception) -> None:
    async def story() -> None:
        async with world() as w:
            w.dependency.answer = error
            await w.fail()
            assert w.breaker.is_open

    run(story())


def test_errors_of_one_who_answers_are_told_call_by_call() -> None:
    async def story() -> None:
        async with world() as w:
            w.dependency.answer = ValueError("this customer's row is malformed")
            await w.fail(10 * FAILURES)
            assert await w.ask() == "ValueError"

    run(story())


def test_a_pause_of_our_own_is_no_outage() -> None:
    async def story() -> None:
        async with world() as w:
            await w.fail(10 * FAILURES, over_s=0.0)
            assert not w.breaker.is_open

    run(story())


def test_calls_between_which_others_are_answered_are_no_outage() -> None:
    async def story() -> None:
        async with world() as w:
            for _ in range(FAILURES):
                w.dependency.answer = redis.ConnectionError()  # of the one master that is away
                await w.fail(FAILURES - 1)
                w.dependency.answer = "of another master"
                assert await w.ask() == "of another master"
            assert not w.breaker.is_open

    run(story())


def test_callers_in_a_hurry_say_nothing_about_the_dependency() -> None:
    async def story() -> None:
        async with world() as w:
            for _ in range(FAILURES):
                await w.ask(allowed_ms=6.0)
                w.now += OVER_S
            assert w.dependency.asked == FAILURES
            assert not w.breaker.is_open

    run(story())
