"""Whether a call may begin: only what can still be answered in time, so that no queue grows in front of the others.

An answer takes a slice of the one thread that computes, besides what it waits for. Whoever comes while n calls are
under way waits for some n slices; where that is longer than the caller's deadline allows, the call is refused at once,
with the time after which a place should be free. How long a slice is shows best while several calls are under way: it
is the time from one answer to the next, whatever the machine, its neighbours and the other services make of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from serving.gateway.metrics import UNDER_WAY
from serving.gateway.stages.deadline import Deadline

_KEPT_BACK = 0.5
"""The share of the time left that waiting for others may take: the answer itself has to be made in the rest."""
_LEAST_UNDER_WAY = 2
_WEIGHT_OF_NEWEST = 0.1


class Overloaded(Exception):  # noqa: N818 - becomes the status RESOURCE_EXHAUSTED
    """More calls are under way than can be answered in time.

    Attributes:
        retry_ms: come back after so long.
    """

    def __init__(self, under_way: int, wait_ms: float, allowed_ms: float) -> None:
        super().__init__(
            f"{under_way} calls are under way, some {wait_ms:.0f} ms of work before this one of {allowed_ms:.0f} ms; "
            f"try again in {wait_ms:.0f} ms, or add workers"
        )
        self.retry_ms = max(1, round(wait_ms))


class Admission:
    """Counts the calls under way and what one costs.

    Attributes:
        slice_ms: what an answer takes, the newest answers counting most; 0 before the first.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        """Args:
        clock: seconds.
        """
        self.slice_ms = 0.0
        self._under_way, self._clock = 0, clock
        self._last_answer: float | None = None  # while others were under way

    @contextmanager
    def admitted(self, deadline: Deadline) -> Iterator[None]:
        """One call, from its arrival to its answer.

        Raises:
            Overloaded: it could not be answered within its deadline.
        """
        wait_ms, allowed_ms = self._under_way * self.slice_ms, deadline.remaining_ms
        if self._under_way >= _LEAST_UNDER_WAY and wait_ms > allowed_ms * _KEPT_BACK:
            raise Overloaded(self._under_way, wait_ms, allowed_ms)
        self._under_way += 1
        UNDER_WAY.set(self._under_way)
        try:
            yield
        finally:
            self._under_way -= 1
            if self._under_way == 0:
                self._last_answer = None
            UNDER_WAY.set(self._under_way)

    def answered(self, compute_ms: float) -> None:
        """A call under way is answered.

        Args:
            compute_ms: what it took of the thread; it is at least so long from an answer to the next.
        """
        now, last = self._clock(), self._last_answer
        self._last_answer = now
        self.learn(compute_ms if last is None else max(compute_ms, (now - last) * 1e3))

    def learn(self, slice_ms: float) -> None:
        """Take note of what an answer took."""
        known = self.slice_ms or slice_ms
        self.slice_ms = known + _WEIGHT_OF_NEWEST * (slice_ms - known)
