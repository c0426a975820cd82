"""What happened to one request: how long each stage took and which ones the answer does without."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from serving.gateway.metrics import DEGRADED, STAGE_SECONDS
from serving.gateway.stages.circuit_breaker import CircuitBreaker, Work
from serving.gateway.stages.deadline import Deadline, StageFailed

T = TypeVar("T")

_LOG_AT_MOST_EVERY_S = 10.0
_logged_at: dict[str, float] = {}

log = logging.getLogger(__name__)


class Trace:
    """Runs the stages of one request and notes what becomes of them."""

    def __init__(self, deadline: Deadline, breakers: Mapping[str, CircuitBreaker]) -> None:
        """Args:
        breakers: by remote stage, the same for all requests.
        """
        self.deadline, self._breakers = deadline, breakers
        self.degraded: dict[str, str] = {}  # stage -> why
        self.seconds: dict[str, float] = {}  # stage -> time taken
        self.local_ms = 0.0  # of stages that compute here

    async def remote(self, stage: str, work: Work[T]) -> T | None:
        """Await a stage that another process answers; None where it fails, or takes longer than its budget lately.

        Args:
            work: asks; it may be asked again later, beside other requests, to learn whether the stage has come back.
        """
        with self.timed(stage, is_remote=True):
            try:
                return await self._breakers[stage].spend(self.deadline, work)
            except StageFailed as failure:
                self.note(stage, str(failure), failure.details)
                return None

    def local(self, stage: str, work: Callable[[], T]) -> T | None:
        """Compute a stage in this process; None where it raises, which is a bug and logged as one."""
        with self.timed(stage):
            return self.part(stage, work)

    def part(self, stage: str, work: Callable[[], T]) -> T | None:
        """Compute a part of a stage that is measured as a whole; None where it raises, like ``local``."""
        try:
            return work()
        except Exception as error:
            if stage not in self.degraded:
                log.exception("stage %s", stage)
                self.note(stage, f"{type(error).__name__}; see the gateway's log")
            return None

    @contextmanager
    def timed(self, stage: str, is_remote: bool = False) -> Iterator[None]:
        """Measure a stage.

        Args:
            is_remote: it waits for another process, and the event loop is free meanwhile.
        """
        started = time.perf_counter()
        try:
            yield
        finally:
            seconds = time.perf_counter() - started
            self.seconds[stage] = seconds
            self.local_ms += 0.0 if is_remote else seconds * 1e3
            STAGE_SECONDS.labels(stage).observe(seconds)

    def note(self, stage: str, why: str | None, details: str = "") -> None:
        """Note that a stage did not contribute; None: it did.

        Args:
            details: for the log only.
        """
        if why is None:
            return
        self.degraded[stage] = why
        DEGRADED.labels(stage).inc()
        now = time.monotonic()
        if now - _logged_at.get(stage, float("-inf")) > _LOG_AT_MOST_EVERY_S:
            _logged_at[stage] = now
            log.warning("answering without %s: %s", stage, f"{why}: {details}" if details else why)
