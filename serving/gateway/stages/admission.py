"""Whether a call may begin: only what can still be answered in time, so that no queue grows in front of the others.

An answer takes a slice of this process's one event loop, besides what it waits for. Whoever comes while n calls are
under way waits for some n slices; where that is longer than the caller's deadline allows, the call is refused at once,
with the time after which a place should be free.
"""

from __future__ import annotations

from collections.abc import Iterator
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
        slice_ms: what an answer takes of the event loop, the newest answers counting most; 0 before the first.
    """

    def __init__(self) -> None:
        self.slice_ms = 0.0
        self._under_way = 0

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
            UNDER_WAY.set(self._under_way)

    def learn(self, slice_ms: float) -> None:
        """Take note of what an answer took of the event loop."""
        known = self.slice_ms or slice_ms
        self.slice_ms = known + _WEIGHT_OF_NEWEST * (slice_ms - known)
