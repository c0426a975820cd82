"""``vitrine.v1.Recommender`` on the wire: messages in and out, and errors as gRPC's status codes."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import TypeVar

import grpc
import grpc.aio

from infra.base.clock import Clock, wall_clock
from serving.gateway.interactions.interaction_log import InteractionLog, InteractionLogDown
from serving.gateway.interactions.recording import interaction_events
from serving.gateway.metrics import REQUEST_SECONDS, REQUESTS
from serving.gateway.recommend import Answer, Recommender, ShownArticle
from serving.gateway.requests import InvalidRequest, Request, checked_count, checked_filters
from serving.gateway.server_timing import server_timing
from serving.gateway.stages.admission import Admission, Overloaded
from serving.gateway.stages.arithmetic import ArithmeticThread
from serving.gateway.stages.circuit_breaker import CircuitBreaker
from serving.gateway.stages.deadline import Budgets, Deadline
from serving.gateway.stages.similar import UnknownArticle, similar_articles
from serving.gateway.stages.trace import Trace
from serving.gateway.state.active_releases import ActiveReleases, NoRelease
from serving.gateway.state.known_articles import KnownArticles
from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc
from serving.ranking.filters.article_filter import InvalidFilter

SERVICE = pb.DESCRIPTOR.services_by_name["Recommender"].full_name

_STATUS: dict[type[Exception], grpc.StatusCode] = {
    InvalidRequest: grpc.StatusCode.INVALID_ARGUMENT,
    InvalidFilter: grpc.StatusCode.INVALID_ARGUMENT,
    UnknownArticle: grpc.StatusCode.NOT_FOUND,
    NoRelease: grpc.StatusCode.UNAVAILABLE,
    InteractionLogDown: grpc.StatusCode.UNAVAILABLE,
    TimeoutError: grpc.StatusCode.DEADLINE_EXCEEDED,
    Overloaded: grpc.StatusCode.RESOURCE_EXHAUSTED,
}

_RETRY_AFTER = "grpc-retry-pushback-ms"  # gRPC's own name: clients with a retry policy go by it
# Of the 8 KiB that gRPC allows; a character may take twelve bytes there, four of UTF-8 written as %XX.
_LONGEST_DETAILS = 500

T = TypeVar("T")
log = logging.getLogger(__name__)


class RecommenderService(recommender_pb2_grpc.RecommenderServicer):
    """The three methods."""

    def __init__(
        self,
        recommender: Recommender,
        releases: ActiveReleases,
        interaction_log: InteractionLog,
        known_articles: KnownArticles,
        clock: Clock,
        budgets: Budgets,
        arithmetic: ArithmeticThread,
    ) -> None:
        self._recommender, self._releases, self._known_articles = recommender, releases, known_articles
        self._interaction_log, self._clock, self._budgets = interaction_log, clock, budgets
        self._arithmetic, self._admission = arithmetic, Admission()
        self._breakers = {stage: CircuitBreaker(stage) for stage, _ in budgets.shares}

    def close(self) -> None:
        """Ask nobody any more, once no call is under way."""
        for breaker in self._breakers.values():
            breaker.close()

    async def Recommend(  # noqa: N802 - gRPC's own name
        self, request: pb.RecommendRequest, context: grpc.aio.ServicerContext
    ) -> pb.RecommendResponse:
        return await _answered("Recommend", context, lambda: self._recommend(request, context))

    async def SimilarArticles(  # noqa: N802
        self, request: pb.SimilarArticlesRequest, context: grpc.aio.ServicerContext
    ) -> pb.SimilarArticlesResponse:
        return await _answered("SimilarArticles", context, lambda: self._similar_articles(request, context))

    async def RecordInteractions(  # noqa: N802
        self, request: pb.RecordInteractionsRequest, context: grpc.aio.ServicerContext
    ) -> pb.RecordInteractionsResponse:
        return await _answered("RecordInteractions", context, lambda: self._record_interactions(request))

    async def _recommend(self, message: pb.RecommendRequest, context: grpc.aio.ServicerContext) -> pb.RecommendResponse:
        request, deadline = Request.from_proto(message), self._deadline(context)
        if deadline.remaining_ms <= self._budgets.least_ms:
            raise TimeoutError("the deadline had passed when the call arrived; give more time")
        with self._admission.admitted(deadline):
            trace = Trace(deadline, self._breakers)
            response = _recommend_response(await self._recommender.recommend(request, trace))
            self._admission.answered(trace.local_ms)
        return response

    async def _similar_articles(
        self, message: pb.SimilarArticlesRequest, context: grpc.aio.ServicerContext
    ) -> pb.SimilarArticlesResponse:
        if not message.article_id:
            raise InvalidRequest("article_id is empty; give the article whose like is wanted")
        count, filters = checked_count(message.count), checked_filters(message.filters)
        with self._releases.hold("") as active:
            articles = await self._arithmetic.run(
                self._deadline(context).expires,
                lambda: similar_articles(active.release, message.article_id, count, filters),
            )
            return pb.SimilarArticlesResponse(articles=_recommendations(articles), release=active.release.number)

    async def _record_interactions(self, message: pb.RecordInteractionsRequest) -> pb.RecordInteractionsResponse:
        known_articles = await asyncio.to_thread(self._known_articles.newest)
        events = interaction_events(message.interactions, self._clock(), wall_clock(), known_articles)
        await self._interaction_log.write(events)
        return pb.RecordInteractionsResponse(recorded=len(events))

    def _deadline(self, context: grpc.aio.ServicerContext) -> Deadline:
        remaining_s = context.time_remaining()
        return Deadline.of_call(None if remaining_s is None else remaining_s * 1e3, self._budgets)


async def _answered(method: str, context: grpc.aio.ServicerContext, work: Callable[[], Awaitable[T]]) -> T:
    """Run a method; its errors become statuses, an unexpected one INTERNAL with a traceback in the log only."""
    started = time.perf_counter()
    code, message = grpc.StatusCode.OK, ""
    hints: tuple[tuple[str, str], ...] = ()
    try:
        response = await work()
    except asyncio.CancelledError:
        REQUESTS.labels(method, grpc.StatusCode.CANCELLED.name).inc()  # the caller's deadline passed, or it hung up
        raise
    except tuple(_STATUS) as error:
        if isinstance(error, Overloaded):
            hints = ((_RETRY_AFTER, str(error.retry_ms)),)
        code = next(status for known, status in _STATUS.items() if isinstance(error, known))
        message = _shortened(str(error))
    except Exception:
        log.exception("%s failed", method)
        code, message = grpc.StatusCode.INTERNAL, "an error of the gateway's own; its log has the details"
    seconds = time.perf_counter() - started
    REQUESTS.labels(method, code.name).inc()
    context.set_trailing_metadata((*server_timing(seconds), *hints))
    if code is not grpc.StatusCode.OK:
        await context.abort(code, message)
    if method == "Recommend":
        REQUEST_SECONDS.observe(seconds)
    return response


def _shortened(details: str) -> str:
    """What fits into gRPC's metadata, however it is encoded there; of anything longer another status would arrive."""
    return details if len(details) <= _LONGEST_DETAILS else f"{details[:_LONGEST_DETAILS]} ..."


def _recommend_response(answer: Answer) -> pb.RecommendResponse:
    response = pb.RecommendResponse(
        articles=_recommendations(answer.articles),
        release=answer.release,
        degraded=[pb.DegradedStage(stage=stage, reason=why) for stage, why in answer.degraded.items()],
        request_id=answer.request.request_id,
        unknown_customer=answer.unknown_customer,
        next_page_token=answer.next_page_token,
    )
    if answer.feature_time is not None:
        response.feature_time.FromDatetime(answer.feature_time)
    return response


def _recommendations(articles: Iterable[ShownArticle]) -> list[pb.Recommendation]:
    return [
        pb.Recommendation(
            article_id=article.article_id,
            score=article.score,
            source=article.source,
            reason=article.reason,
            price_micros=article.price_micros,
            name=article.name,
        )
        for article in articles
    ]
