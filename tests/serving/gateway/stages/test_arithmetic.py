"""What answers compute leaves the event loop free, and what must be answered first comes first."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from functools import partial

import pytest

from serving.gateway.stages.arithmetic import ArithmeticThread


@pytest.fixture
def thread() -> Iterator[ArithmeticThread]:
    thread = ArithmeticThread()
    yield thread
    thread.close()


def test_the_earliest_deadline_comes_first_and_the_loop_runs_on(thread: ArithmeticThread) -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[float] = []

    def first() -> str:
        begun.set()
        assert go_on.wait(10)
        return "first"

    async def ask() -> str:
        held = asyncio.create_task(thread.run(9.0, first))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        others = [asyncio.create_task(thread.run(at, partial(done.append, at))) for at in (3.0, 1.0, 2.0)]
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(*others)
        return await held

    assert asyncio.run(ask()) == "first"
    assert done == [1.0, 2.0, 3.0]


def test_an_error_reaches_who_asked_and_the_thread_goes_on(thread: ArithmeticThread) -> None:
    async def ask() -> int:
        with pytest.raises(ZeroDivisionError):
            await thread.run(1.0, lambda: 1 // 0)
        return await thread.run(1.0, lambda: 7)

    assert asyncio.run(ask()) == 7


def test_what_nobody_waits_for_any_more_is_not_begun(thread: ArithmeticThread) -> None:
    begun, go_on = threading.Event(), threading.Event()
    done: list[str] = []

    def first() -> None:
        begun.set()
        assert go_on.wait(10)

    async def ask() -> None:
        held = asyncio.create_task(thread.run(1.0, first))
        while not begun.is_set():
            await asyncio.sleep(0.001)
        given_up = asyncio.create_task(thread.run(2.0, lambda: done.append("given up")))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
        go_on.set()
        await held
        await thread.run(3.0, lambda: done.append("after"))

    asyncio.run(ask())
    assert done == ["after"]
