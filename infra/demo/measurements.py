"""What the demo measures: how fast an answer comes, and how fast a purchase changes it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np

from infra.base.progress import track
from infra.demo.storefront import Storefront
from serving.proto.recommender_pb2 import RecommendResponse


@dataclass(frozen=True)
class Latencies:
    """Milliseconds of repeated tries."""

    milliseconds: tuple[float, ...]

    def percentile(self, percent: float) -> float:
        """The latency that ``percent`` of the tries stay within."""
        return float(np.percentile(self.milliseconds, percent))


@dataclass(frozen=True)
class Change:
    """One purchase and the answers around it."""

    before: RecommendResponse
    after: RecommendResponse
    milliseconds: float  # from Kafka's acknowledgement to the arrival of the first changed answer


class UnchangedAnswerError(TimeoutError):
    """An answer knows the purchase and is as it was before: a small catalogue may have nothing else to show."""


def recommend_latencies(storefront: Storefront, customer_ids: Sequence[str], calls: int) -> Latencies:
    """Time single calls of one client, after some that are not counted."""
    for customer_id in customer_ids[:50]:
        storefront.recommend(customer_id)
    milliseconds = []
    for call in track(range(calls), "asking for recommendations"):
        started = time.perf_counter()
        storefront.recommend(customer_ids[call % len(customer_ids)])
        milliseconds.append((time.perf_counter() - started) * 1000)
    return Latencies(tuple(milliseconds))


def purchase_to_answer(
    storefront: Storefront, customer_id: str, purchase: Callable[[], datetime], timeout_s: float = 10.0
) -> Change:
    """Buy something and ask until the answer knows it.

    An answer knows the purchase when its newest feature is as young as the purchase *and* articles, their order or
    their scores differ from the answer before.

    Args:
        purchase: sends the purchase, returns when Kafka has acknowledged it, and tells its event time.

    Raises:
        UnchangedAnswerError: answers know the purchase, but are like the one before.
        TimeoutError: no answer knows it.
    """
    before = storefront.recommend(customer_id)
    occurred_at = purchase()
    acknowledged, known = time.perf_counter(), False
    while time.perf_counter() - acknowledged < timeout_s:
        after = storefront.recommend(customer_id)
        known = known or _knows(after, occurred_at)
        if known and content(after) != content(before):
            return Change(before, after, (time.perf_counter() - acknowledged) * 1000)
    if known:
        raise UnchangedAnswerError(f"the recommendations of {customer_id} know the purchase and are as before")
    raise TimeoutError(f"the recommendations of {customer_id} did not change within {timeout_s:.0f} s of the purchase")


def content(answer: RecommendResponse) -> list[tuple[Any, ...]]:
    """What the customer would see of an answer, to compare two."""
    return [(article.article_id, article.source, article.score) for article in answer.articles]


def _knows(answer: RecommendResponse, occurred_at: datetime) -> bool:
    newest = answer.feature_time.ToDatetime(tzinfo=UTC)
    return newest >= occurred_at
