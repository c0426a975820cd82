"""How long a request may take, and which part of what is left each stage may spend."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
import redis

T = TypeVar("T")

_TELLING_MS = 10.0
"""Who had less time than this and got no answer has not learnt much about the other side."""


@dataclass(frozen=True)
class Budgets:
    """Shares of the remaining time by stage, in the order the stages run.

    A stage gets its share of what is left divided by the shares of itself and all after it, so time that one stage
    saves is the later ones' to spend.
    """

    default_ms: float = 200.0  # where the caller gives no deadline
    longest_ms: float = 2_000.0  # a caller who would wait longer is still answered within this
    # Kept back for the stages that only compute and for the answer's way to the caller: so much, or this share of what
    # is left if that is more, for a machine that is busy enough to need it.
    compute_ms: float = 10.0
    compute_share: float = 0.2
    shares: tuple[tuple[str, float], ...] = (("customer", 2.0), ("query_tower", 3.0), ("ranker", 4.0))
    least_ms: float = 0.5  # a stage with less left is not begun


class StageFailed(Exception):  # noqa: N818 - not an error of the program: a stage that the answer does without
    """A stage did not contribute; the message says why, for the caller to read.

    Attributes:
        details: what the other side said, for the log: it may name addresses and keys.
        answers: whether the other side does, be it with an error; None where that was not learnt.
    """

    def __init__(self, why: str, details: str = "", answers: bool | None = None) -> None:
        super().__init__(why)
        self.details, self.answers = details, answers


class Deadline:
    """The instant by which a request must be answered.

    Attributes:
        expires: that instant, on the monotonic clock, in seconds.
    """

    def __init__(self, allowed_ms: float, budgets: Budgets) -> None:
        """Args:
        allowed_ms: so long from now.
        """
        self._budgets = budgets
        self.expires = time.monotonic() + allowed_ms / 1e3

    @classmethod
    def of_call(cls, remaining_ms: float | None, budgets: Budgets) -> Deadline:
        """That of a call.

        Args:
            remaining_ms: time left by the caller's deadline, None where there is none.
        """
        return cls(budgets.default_ms if remaining_ms is None else min(remaining_ms, budgets.longest_ms), budgets)

    @property
    def remaining_ms(self) -> float:
        """Time left; negative once it has passed."""
        return (self.expires - time.monotonic()) * 1e3

    def budget_ms(self, stage: str) -> float:
        """What ``stage`` may spend of the time left."""
        remaining_ms = max(0.0, self.remaining_ms)
        reserve_ms = max(self._budgets.compute_ms, self._budgets.compute_share * remaining_ms)
        remaining_ms -= min(reserve_ms, remaining_ms / 2)
        shares = self._budgets.shares
        place = [name for name, _ in shares].index(stage)
        return remaining_ms * shares[place][1] / sum(share for _, share in shares[place:])

    async def spend(self, stage: str, work: Coroutine[Any, Any, T]) -> T:
        """Await a stage's answer from another process, within the stage's budget.

        Raises:
            StageFailed: it failed or took too long, and ``work`` is cancelled then; or no time is left.
        """
        budget_ms = self.budget_ms(stage)
        if budget_ms < self._budgets.least_ms:
            work.close()
            raise StageFailed("no time left before the deadline")
        return await within(budget_ms, work)


async def within(budget_ms: float, work: Coroutine[Any, Any, T]) -> T:
    """Await another process's answer so long.

    Raises:
        StageFailed: it failed or took too long; ``work`` is cancelled then.
    """
    try:
        async with asyncio.timeout(budget_ms / 1e3):
            return await work
    except TimeoutError:
        answers = False if budget_ms >= _TELLING_MS else None
        raise StageFailed(f"no answer within {budget_ms:.0f} ms", answers=answers) from None
    except grpc.aio.AioRpcError as error:
        is_away = error.code() is grpc.StatusCode.UNAVAILABLE
        raise StageFailed(error.code().name, error.details() or "", answers=not is_away) from error
    except Exception as error:  # whatever a stage meets, the answer goes on without it
        is_away = isinstance(error, redis.ConnectionError | redis.TimeoutError)
        raise StageFailed(type(error).__name__, str(error), answers=not is_away) from error
