"""One Recommend call: the eight stages of the design, in order.

Any stage that another process answers may fail or be slow; the answer then goes on without it and says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from infra.base.calendar import epoch_day
from infra.base.clock import Clock
from serving.gateway.interactions.impressions import impressions
from serving.gateway.interactions.interaction_log import InteractionLog
from serving.gateway.metrics import UNKNOWN_CUSTOMERS
from serving.gateway.requests import Request
from serving.gateway.stages.arithmetic import ArithmeticThread
from serving.gateway.stages.customer_features import CustomerFeatures, unknown_shopper
from serving.gateway.stages.deadline import Deadline
from serving.gateway.stages.last_known import LastKnown
from serving.gateway.stages.page_cut import PageCut, Ranked, candidates_alone, cut_page
from serving.gateway.stages.query_embedding import embed_query
from serving.gateway.stages.ranker import rank
from serving.gateway.stages.trace import Trace
from serving.gateway.state.active_releases import ActiveRelease, ActiveReleases
from serving.ranking.filters.allowed import Allowed
from serving.ranking.find_candidates import Candidates, source_order
from serving.ranking.pipeline import RankingPipeline
from serving.ranking.reasons import reason
from serving.ranking.rerank import ShopRules
from serving.release.reader import Release
from serving.retrieval.customer import Customer
from serving.retrieval.sources.source import RetrievalQuery
from serving.tf_serving.prediction import PredictionClient

T = TypeVar("T")

_REMEMBERED_EMBEDDINGS = 50_000


@dataclass(frozen=True)
class ShownArticle:
    """One article of an answer."""

    article_id: str
    score: float
    source: str
    reason: str
    price_micros: int  # 0 where never sold
    name: str


@dataclass(frozen=True)
class Answer:
    """What a Recommend call gives back."""

    request: Request
    release: int
    articles: list[ShownArticle]
    feature_time: datetime | None
    unknown_customer: bool  # False also where they could not be looked up
    next_page_token: str  # "" where the answer ends
    degraded: dict[str, str] = field(default_factory=dict)  # stage -> why


class Recommender:
    """Answers Recommend calls."""

    def __init__(
        self,
        releases: ActiveReleases,
        customers: CustomerFeatures,
        models: PredictionClient,
        interaction_log: InteractionLog,
        clock: Clock,
        rules: ShopRules,
        arithmetic: ArithmeticThread,
    ) -> None:
        self._releases, self._customers, self._models = releases, customers, models
        self._interaction_log, self._clock, self._rules = interaction_log, clock, rules
        self._arithmetic = arithmetic
        self._last_embeddings = LastKnown[tuple[int, npt.NDArray[np.float32]]](_REMEMBERED_EMBEDDINGS)

    async def recommend(self, request: Request, trace: Trace) -> Answer:
        """Answer within the trace's deadline, whatever is down.

        Raises:
            NoRelease: none is loaded yet.
            InvalidFilter: the filters name what the release does not have.
        """
        # 1 The release of the customer, held whole until the answer is made.
        with self._releases.hold(request.customer_id) as active:
            release, now = active.release, self._clock()
            allowed, viewed = _filters(request, release)
            # 2 Customer features: one round trip to Redis.
            read = await trace.remote(
                "customer", lambda: self._customers.read(request.customer_id, release.articles, now)
            )
            shopper = read or self._customers.last_known(request.customer_id, release.articles, now)
            shopper = shopper or unknown_shopper(request.customer_id, release.articles, now)
            # 3 The query tower. Who has bought nothing yet is shown what is trending: the models, which learn from
            # purchases, order that worse than its sales do.
            personal, embedding = shopper.customer.has_history, None
            if personal:
                embedding = await trace.remote(
                    "query_tower", lambda: embed_query(self._models, release, shopper.customer)
                )
                embedding = self._last_embedding(release, request.customer_id, embedding)
            # 4 Candidates from the sources, through the filters, and 5 their features.
            pipeline = RankingPipeline(release, self._rules)
            query = pipeline.query(shopper.customer, embedding, viewed)
            found, features = await self._compute(trace, lambda: _find(trace, pipeline, query, allowed, personal))
            # 6 The ranker.
            scores = None
            if features is not None:
                scores = await trace.remote("ranker", lambda: rank(self._models, release, features))
            # 7 Diversity and shop rules, reasons.
            cut, articles = await self._compute(
                trace, lambda: _arrange(trace, release, pipeline, query, allowed, request, found, scores)
            )
            # 8 Impressions, on their way to Kafka; the answer does not wait for them.
            trace.note("impressions", self._interaction_log.offer(impressions(request, release.number, articles, now)))
            trace.note("article_state", active.state.problem)
            newest = max((time for time in (shopper.newest, active.state.newest) if time is not None), default=None)
        is_unknown = read is not None and not read.known
        if is_unknown:
            UNKNOWN_CUSTOMERS.inc()
        next_page_token = ""
        if cut.goes_on:
            pages = request.earlier.continued(cut.passed, read.customer if read is not None else None)
            next_page_token = pages.to_token(request.customer_id)
        return Answer(request, release.number, articles, newest, is_unknown, next_page_token, trace.degraded)

    async def warm_up(self, active: ActiveRelease, deadline: Deadline) -> None:
        """Answer a made-up customer by a release not yet in use, on its real models.

        Raises:
            StageFailed: one of its models does not answer.
        """
        release = active.release
        customer = _made_up_customer(release, epoch_day(self._clock()))
        embedding = await deadline.spend("query_tower", embed_query(self._models, release, customer))
        pipeline = RankingPipeline(release, self._rules)
        query = pipeline.query(customer, embedding)

        def find() -> tuple[Candidates, npt.NDArray[np.float32]]:
            found = pipeline.find(query, Allowed(release.articles))
            return found, pipeline.features(query, found)

        found, features = await self._arithmetic.run(deadline.expires, find)
        scores = await deadline.spend("ranker", rank(self._models, release, features))
        order = pipeline.rerank(customer, found, scores)
        _describe(release, Ranked(found, scores, order), order[:12], partial(reason, release, query))

    def _last_embedding(
        self, release: Release, customer_id: str, embedding: npt.NDArray[np.float32] | None
    ) -> npt.NDArray[np.float32] | None:
        """This embedding, else the last one of the customer by the same release."""
        if embedding is not None:
            self._last_embeddings.put(customer_id, (release.number, embedding))
            return embedding
        number, known = self._last_embeddings.get(customer_id) or (-1, None)
        return known if number == release.number else None

    async def _compute(self, trace: Trace, work: Callable[[], T]) -> T:
        """Compute beside the event loop, when it is this request's turn."""
        return await self._arithmetic.run(trace.deadline.expires, work)


def _find(
    trace: Trace, pipeline: RankingPipeline, query: RetrievalQuery, allowed: Allowed, personal: bool
) -> tuple[Candidates, npt.NDArray[np.float32] | None]:
    """Candidates, and the ranker's inputs, [m, features]; None where it is not to be asked."""
    found = trace.local("candidates", lambda: pipeline.find(query, allowed))
    if found is None:
        found = pipeline.find_trending(query, allowed)
    if not personal or len(found) == 0:
        return found, None
    return found, trace.local("features", lambda: pipeline.features(query, found))


def _arrange(
    trace: Trace,
    release: Release,
    pipeline: RankingPipeline,
    query: RetrievalQuery,
    allowed: Allowed,
    request: Request,
    found: Candidates,
    scores: npt.NDArray[np.float32] | None,
) -> tuple[PageCut, list[ShownArticle]]:
    """The page that is shown, by the ranker's scores, else in the sources' own order."""
    with trace.timed("arrange"):
        if scores is None:
            scores = source_order(found)
        by_scores = scores
        order = trace.part("variety", lambda: pipeline.rerank(query.customer, found, by_scores))
        if order is None:
            order = np.lexsort((found.proposed.positions, -scores))
        ranked = Ranked(found, scores, order)
        cut = trace.part("page", lambda: cut_page(request, release, query.customer, allowed, ranked))
        if cut is None:
            cut = candidates_alone(request, release, ranked)

        def explain(position: int, source: str) -> str:
            return trace.part("reasons", lambda: reason(release, query, position, source)) or ""

        return cut, _describe(release, cut.ranked, cut.shown, explain)


def _filters(request: Request, release: Release) -> tuple[Allowed, int]:
    """The filters against this release, and the position of the article being looked at."""
    viewed = release.articles.position.get(request.context_article_id, -1)
    return Allowed(release.articles, request.filters, viewed), viewed


def _describe(
    release: Release, ranked: Ranked, shown: npt.NDArray[np.intp], explain: Callable[[int, str], str]
) -> list[ShownArticle]:
    found, scores = ranked.found, ranked.scores
    positions = found.proposed.positions[shown]
    prices = np.nan_to_num(release.articles.prices_micros(positions)).astype(np.int64)
    return [
        ShownArticle(
            article_id=release.articles.ids[position],
            score=score,
            source=source,
            reason=explain(position, source),
            price_micros=price,
            name=release.articles.name(position),
        )
        for position, score, source, price in zip(
            positions.tolist(), scores[shown].tolist(), found.shown_for[shown].tolist(), prices.tolist(), strict=True
        )
    ]


def _made_up_customer(release: Release, today: int) -> Customer:
    articles = [release.articles.ids[position] for position in range(min(5, len(release.articles)))]
    values = {
        "customer_history:articles": articles,
        "customer_history:article_times": [1] * len(articles),
        "customer_history:article_last_days": [today - 1] * len(articles),
        "customer_history:last_purchase_day": today - 1,
    }
    return Customer.from_values("warm-up", values, release.articles, today)
