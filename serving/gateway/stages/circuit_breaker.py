"""A dependency that hangs costs a few calls their time, not every call: then it is left alone until it answers again.

Not of a library: those that know asyncio either let every call through half open, or have not been kept for years.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from serving.gateway.metrics import CIRCUIT_OPEN
from serving.gateway.stages.deadline import Deadline, StageFailed, within

T = TypeVar("T")
Work = Callable[[], Coroutine[Any, Any, T]]

FAILURES = 3
OVER_S = 0.1
"""So many calls in a row without an answer, over so long at least: one pause of this process is no outage, and neither
is one master of a cluster, between whose calls those of the others are answered."""
PROBE_EVERY_S = 0.1

log = logging.getLogger(__name__)


class CircuitBreaker:
    """Guards one stage of all requests.

    Open, no call waits: one probe at a time asks beside the calls, whether or not there are any, what the call that
    opened it had asked, within the time which that one had. Any answer closes it, an error as well.
    """

    def __init__(self, stage: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._stage, self._clock = stage, clock
        self._failures, self._failing_since, self._asked_again_at = 0, 0.0, 0.0
        self._probing: asyncio.Task[None] | None = None
        CIRCUIT_OPEN.labels(stage).set(0)

    @property
    def is_open(self) -> bool:
        """Whether calls go on without the dependency."""
        return self._probing is not None

    async def spend(self, deadline: Deadline, work: Work[T]) -> T:
        """Await the stage's answer within its share of the deadline.

        Raises:
            StageFailed: it failed or took too long, or has done so lately and is not asked.
        """
        if self.is_open:
            wait_ms = max(0.0, self._asked_again_at - self._clock()) * 1e3
            raise StageFailed(f"does not answer; asked again in {wait_ms:.0f} ms")
        budget_ms = deadline.budget_ms(self._stage)
        try:
            result = await deadline.spend(self._stage, work())
        except StageFailed as failure:
            if failure.answers:
                self.close()
            elif failure.answers is False:
                self._note_silence(work, budget_ms)
            raise
        self.close()
        return result

    def close(self) -> None:
        """Let calls through; nothing is asked beside them any more."""
        self._failures = 0
        if self._probing is not None:
            self._probing.cancel()
            self._probing = None
            CIRCUIT_OPEN.labels(self._stage).set(0)

    def _note_silence(self, work: Work[Any], budget_ms: float) -> None:
        self._failures += 1
        if self._failures == 1:
            self._failing_since = self._clock()
        is_outage = self._failures >= FAILURES and self._clock() - self._failing_since >= OVER_S
        if is_outage and not self.is_open:
            log.warning("%s does not answer; going on without until it does", self._stage)
            self._probing = asyncio.create_task(self._probe(work, budget_ms))
            CIRCUIT_OPEN.labels(self._stage).set(1)

    async def _probe(self, work: Work[Any], budget_ms: float) -> None:
        answers = False
        while not answers:
            self._asked_again_at = self._clock() + PROBE_EVERY_S
            await asyncio.sleep(PROBE_EVERY_S)
            try:
                await within(budget_ms, work())
                answers = True
            except StageFailed as failure:
                answers = bool(failure.answers)
        log.warning("%s answers again", self._stage)
        self.close()
