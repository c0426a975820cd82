"""Calls that come when they come, whether or not earlier ones are answered, and what became of each."""

from __future__ import annotations

import asyncio
import multiprocessing
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Event
from typing import TypeVar

import grpc
import grpc.aio

from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc

T = TypeVar("T")

_AT_ONCE = 8  # of a client that asks as fast as it is answered


@dataclass(frozen=True)
class Call:
    """One call; instants are of ``time.monotonic``."""

    customer_id: str
    sent: float
    answered: float
    code: grpc.StatusCode
    degraded: dict[str, str] = field(default_factory=dict)  # stage -> why
    articles: tuple[tuple[str, float], ...] = ()  # id, score


class OpenLoad:
    """A client of the gateway; ``calls`` grows while it asks.

    Args:
        deadline_s: that every call is sent with.
    """

    def __init__(self, address: str, customers: Sequence[str], deadline_s: float, seed: int) -> None:
        self._address, self._customers, self._deadline_s = address, customers, deadline_s
        self._rng = random.Random(seed)
        self.calls: list[Call] = []

    def each_customer_once(self) -> list[Call]:
        """Ask for all customers, one after the other."""

        async def ask_all(stub: recommender_pb2_grpc.RecommenderStub) -> list[Call]:
            return [await self._ask(stub, customer) for customer in self._customers]

        return asyncio.run(self.with_stub(ask_all))

    def capacity(self, seconds: float) -> float:
        """Calls a second that the gateway answers at most."""

        async def ask_on(stub: recommender_pb2_grpc.RecommenderStub) -> float:
            until, answered = time.monotonic() + seconds, 0

            async def one_client() -> None:
                nonlocal answered
                while time.monotonic() < until:
                    call = await self._ask(stub, self._rng.choice(self._customers))
                    answered += call.code is grpc.StatusCode.OK

            await asyncio.gather(*(one_client() for _ in range(_AT_ONCE)))
            return answered / seconds

        return asyncio.run(self.with_stub(ask_on))

    @contextmanager
    def running(self, rate: float) -> Iterator[None]:
        """Send so many calls a second, as a Poisson process, until the block ends and all are answered.

        From a process of its own, which nothing holds up but the machine.

        Raises:
            EOFError: it could not go on.
        """
        context = multiprocessing.get_context("spawn")
        stop, (ours, theirs) = context.Event(), context.Pipe(duplex=False)
        process = context.Process(target=_send, args=(self, rate, stop, theirs), daemon=True)
        process.start()
        theirs.close()
        try:
            yield
        finally:
            stop.set()
            self.calls = ours.recv()
            process.join()

    async def send(self, stub: recommender_pb2_grpc.RecommenderStub, rate: float, stop: Event) -> None:
        """Call at that rate until told to stop; then wait for the answers."""
        due, under_way = time.monotonic(), set[asyncio.Task[None]]()
        while not stop.is_set():
            due += self._rng.expovariate(rate)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._note(stub))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.gather(*under_way)

    async def with_stub(self, work: Callable[[recommender_pb2_grpc.RecommenderStub], Awaitable[T]]) -> T:
        """What ``work`` gives, on a channel of its own."""
        async with grpc.aio.insecure_channel(self._address) as channel:
            return await work(recommender_pb2_grpc.RecommenderStub(channel))

    async def _note(self, stub: recommender_pb2_grpc.RecommenderStub) -> None:
        self.calls.append(await self._ask(stub, self._rng.choice(self._customers)))

    async def _ask(self, stub: recommender_pb2_grpc.RecommenderStub, customer_id: str) -> Call:
        sent = time.monotonic()
        try:
            answer = await stub.Recommend(pb.RecommendRequest(customer_id=customer_id), timeout=self._deadline_s)
        except grpc.aio.AioRpcError as error:
            return Call(customer_id, sent, time.monotonic(), error.code())
        return Call(
            customer_id, sent, time.monotonic(), grpc.StatusCode.OK,
            {part.stage: part.reason for part in answer.degraded},
            tuple((shown.article_id, shown.score) for shown in answer.articles),
        )  # fmt: skip


def _send(load: OpenLoad, rate: float, stop: Event, results: Connection) -> None:
    asyncio.run(load.with_stub(lambda stub: load.send(stub, rate, stop)))
    results.send(load.calls)
