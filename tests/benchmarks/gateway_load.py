"""Callers of a gateway: one after another, many in a closed loop, and Poisson arrivals in an open one."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

import grpc
import numpy as np

from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc

PATIENCE_S = 2.0
"""How long a caller of the closed loop waits; more than any answer may take."""


@dataclass
class Load:
    """What became of some calls."""

    milliseconds: list[float] = field(default_factory=list)  # of answers
    refused_ms: list[float] = field(default_factory=list)  # of RESOURCE_EXHAUSTED
    codes: Counter[str] = field(default_factory=Counter)
    degraded: Counter[str] = field(default_factory=Counter)  # stage -> answers without it
    seconds: float = 0.0

    def percentile(self, percent: float) -> float:
        """Milliseconds of an answer."""
        return float(np.percentile(self.milliseconds, percent)) if self.milliseconds else float("nan")

    @property
    def answers_per_s(self) -> float:
        """Answers in time, a second."""
        return len(self.milliseconds) / self.seconds


def one_caller(address: str, customers: list[str], calls: int) -> Load:
    """One call after another."""
    load, started = Load(), time.perf_counter()
    with grpc.insecure_channel(address) as channel:
        stub = recommender_pb2_grpc.RecommenderStub(channel)
        for customer in itertools.islice(itertools.cycle(customers), calls):
            began = time.perf_counter()
            answer = stub.Recommend(pb.RecommendRequest(customer_id=customer), timeout=PATIENCE_S)
            load.milliseconds.append((time.perf_counter() - began) * 1e3)
            load.degraded.update(part.stage for part in answer.degraded)
    load.seconds = time.perf_counter() - started
    return load


def closed_loop(address: str, customers: list[str], callers: int, seconds: float) -> Load:
    """So many callers, each asking again as soon as it is answered."""

    async def run(ask: Callable) -> None:
        ends = time.perf_counter() + seconds

        async def caller(first: int) -> None:
            for customer in itertools.cycle(customers[first:] + customers[:first]):
                if time.perf_counter() > ends:
                    return
                await ask(customer, PATIENCE_S)

        await asyncio.gather(*(caller(number * len(customers) // callers) for number in range(callers)))

    return _measured(address, run)


def open_loop(address: str, customers: list[str], per_second: float, seconds: float, timeout_s: float) -> Load:
    """Calls that arrive at random, whether or not those before are answered; each gives up after its time-out."""

    async def run(ask: Callable) -> None:
        rng, calls, started = np.random.default_rng(1), set(), time.perf_counter()
        arrivals = np.cumsum(rng.exponential(1 / per_second, int(per_second * seconds)))
        for customer, at in zip(itertools.cycle(customers), arrivals.tolist(), strict=False):
            ahead = at - (time.perf_counter() - started)
            if ahead > 0:
                await asyncio.sleep(ahead)
            call = asyncio.create_task(ask(customer, timeout_s))
            calls.add(call)
            call.add_done_callback(calls.discard)
        await asyncio.gather(*calls)

    return _measured(address, run)


def _measured(address: str, run: Callable) -> Load:
    load = Load()

    async def measure() -> None:
        async with grpc.aio.insecure_channel(address) as channel:
            stub = recommender_pb2_grpc.RecommenderStub(channel)

            async def ask(customer: str, timeout_s: float) -> None:
                began = time.perf_counter()
                try:
                    answer = await stub.Recommend(pb.RecommendRequest(customer_id=customer), timeout=timeout_s)
                except grpc.aio.AioRpcError as error:
                    load.codes[error.code().name] += 1
                    if error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
                        load.refused_ms.append((time.perf_counter() - began) * 1e3)
                    return
                load.codes["OK"] += 1
                load.milliseconds.append((time.perf_counter() - began) * 1e3)
                load.degraded.update(part.stage for part in answer.degraded)

            await channel.channel_ready()
            started = time.perf_counter()
            await run(ask)
            load.seconds = time.perf_counter() - started

    asyncio.run(measure())
    return load
