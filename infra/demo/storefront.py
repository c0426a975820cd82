"""A storefront's side of the gateway: asks for recommendations over gRPC, and keeps asking while something changes."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import grpc

from serving.proto import recommender_pb2 as messages
from serving.proto.recommender_pb2_grpc import RecommenderStub


class Storefront:
    """A synchronous client of ``vitrine.v1.Recommender``."""

    def __init__(self, gateway_address: str) -> None:
        self._channel = grpc.insecure_channel(gateway_address)
        self._stub = RecommenderStub(self._channel)  # type: ignore[no-untyped-call]

    def recommend(self, customer_id: str, count: int = 12, deadline_ms: int = 1000) -> messages.RecommendResponse:
        """Ask for a customer's recommendations.

        Raises:
            grpc.RpcError: with the status code and a message that says what to change.
        """
        request = messages.RecommendRequest(customer_id=customer_id, count=count, surface="demo")
        response: messages.RecommendResponse = self._stub.Recommend(request, timeout=deadline_ms / 1000)
        return response

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class Traffic:
    """Asks without a pause on a thread of its own, and counts answers by release, degraded answers and failures."""

    def __init__(self, gateway_address: str, customer_ids: Sequence[str]) -> None:
        self._address, self._customer_ids = gateway_address, customer_ids
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask, name="traffic")
        self.answers_by_release: Counter[int] = Counter()
        self.degraded = 0
        self.failures: list[str] = []

    @property
    def answers(self) -> int:
        """Answers so far."""
        return self.answers_by_release.total()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    def wait_for_release(self, release: int, answers: int = 20, timeout_s: float = 30.0) -> float:
        """Wait until so many answers came from ``release``; returns the seconds it took.

        Raises:
            TimeoutError: they did not come.
        """
        started = time.monotonic()
        before = self.answers_by_release[release]
        while self.answers_by_release[release] < before + answers:
            if time.monotonic() - started > timeout_s:
                seen = dict(self.answers_by_release)
                raise TimeoutError(
                    f"no answer from release {release} within {timeout_s:.0f} s; answers by release: {seen}"
                )
            self._stop.wait(0.005)
        return time.monotonic() - started

    def _ask(self) -> None:
        with Storefront(self._address) as storefront:
            number = 0
            while not self._stop.is_set():
                try:
                    answer = storefront.recommend(self._customer_ids[number % len(self._customer_ids)])
                except grpc.RpcError as error:
                    self.failures.append(f"{error.code().name}: {error.details()}")
                else:
                    self.answers_by_release[answer.release] += 1
                    self.degraded += bool(answer.degraded)
                number += 1
