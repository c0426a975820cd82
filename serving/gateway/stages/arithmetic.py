"""A thread for what answers compute, so that the event loop stays free to take in calls and to refuse what is too much.

One thread, for Python computes one thing at a time. What has to be answered first goes first: an answer that has begun
is finished before a later one begins.
"""

from __future__ import annotations

import asyncio
import itertools
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(order=True)
class _Work:
    expires: float
    number: int
    run: Callable[[], Any] = field(compare=False)
    answer: asyncio.Future[Any] | None = field(compare=False)  # None: nothing comes behind it


class ArithmeticThread:
    """Computes for the coroutines of one event loop, the earliest deadline first."""

    def __init__(self) -> None:
        self._waiting: queue.PriorityQueue[_Work] = queue.PriorityQueue()
        self._numbers = itertools.count()
        self._thread = threading.Thread(target=self._run, name="arithmetic", daemon=True)
        self._thread.start()

    async def run(self, expires: float, work: Callable[[], T]) -> T:
        """What ``work`` gives; its errors are raised here. Cancelled before its turn, it is not begun.

        Args:
            expires: when it must be done, on any clock that all callers share.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.put(_Work(expires, next(self._numbers), work, answer))
        return await answer

    def close(self) -> None:
        """Finish what waits, then end; nothing may be asked any more."""
        self._waiting.put(_Work(float("inf"), next(self._numbers), _nothing, None))
        self._thread.join()

    def _run(self) -> None:
        while True:
            work = self._waiting.get()
            if work.answer is None:
                return
            if work.answer.cancelled():
                continue
            try:
                result = work.run()
            except BaseException as error:
                _tell(work.answer, work.answer.set_exception, error)
            else:
                _tell(work.answer, work.answer.set_result, result)


def _tell(answer: asyncio.Future[Any], tell: Callable[[Any], None], outcome: Any) -> None:
    def unless_cancelled() -> None:
        if not answer.cancelled():
            tell(outcome)

    answer.get_loop().call_soon_threadsafe(unless_cancelled)


def _nothing() -> None:
    pass
