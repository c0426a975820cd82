"""One Recommend call: the eight stages of the design, in order.

Any stage that another process answers may fail or be slow; the answer then goes on without it and says so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import numpy.typing as npt

from infra.clock import Clock, epoch_day
from serving.gateway.candidates import Candidates, find_candidates, source_order
from serving.gateway.customer_features import CustomerFeatures, unknown_shopper
from serving.gateway.deadline import Deadline
from serving.gateway.diversity import ShopRules, arrange
from serving.gateway.event_log import EventLog
from serving.gateway.filters import Allowed, prices_micros
from serving.gateway.impressions import impressions
from serving.gateway.metrics import UNKNOWN_CUSTOMERS
from serving.gateway.page_cut import Ranked, cut_page
from serving.gateway.query_embedding import embed_query
from serving.gateway.ranker import rank
from serving.gateway.reasons import reason
from serving.gateway.releases import ActiveRelease, Releases
from serving.gateway.requests import ArticleFilters, Request
from serving.gateway.trace import Trace
from serving.release.reader import Release
from serving.retrieval.customer import Customer
from serving.retrieval.ranking_features import ranking_features
from serving.retrieval.sources.source import Question
from serving.tf_serving.prediction import PredictionClient


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
        releases: Releases,
        customers: CustomerFeatures,
        models: PredictionClient,
        event_log: EventLog,
        clock: Clock,
        rules: ShopRules,
    ) -> None:
        self._releases, self._customers, self._models = releases, customers, models
        self._event_log, self._clock, self._rules = event_log, clock, rules

    async def recommend(self, request: Request, trace: Trace) -> Answer:
        """Answer within the trace's deadline, whatever is down.

        Raises:
            NoRelease: none is loaded yet.
            InvalidRequest: the filters name what the release does not have.
        """
        # 1 The release of the customer, held whole until the answer is made.
        with self._releases.hold(request.customer_id) as active:
            release, now = active.release, self._clock()
            allowed, context = _filters(request, release)
            # 2 Customer features: one round trip to Redis.
            read = await trace.remote("customer", self._customers.read(request.customer_id, release.articles, now))
            shopper = read or unknown_shopper(request.customer_id, release.articles, now)
            # 3 The query tower. Who has bought nothing yet is shown what is trending: the models, which learn from
            # purchases, order that worse than its sales do.
            personal, query = shopper.customer.has_history, None
            if personal:
                query = await trace.remote("query_tower", embed_query(self._models, release, shopper.customer))
            # 4 Candidates from the sources, through the filters.
            question = Question(shopper.customer, release.articles, query)
            found = self._find(trace, release, question, allowed, context, personal)
            # 5 Features of the candidates, and 6 the ranker.
            scores = await self._rank(trace, release, question, found) if personal else source_order(found)
            # 7 Diversity and shop rules, reasons.
            with trace.timed("arrange"):
                order = self._arrange(release, shopper.customer, found, scores)
                cut = cut_page(request, release, shopper.customer, allowed, Ranked(found, scores, order))
                articles = _describe(release, shopper.customer, cut.ranked, cut.shown, context)
            # 8 Impressions, on their way to Kafka; the answer does not wait for them.
            trace.note("impressions", self._event_log.offer(impressions(request, release.number, articles, now)))
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
        query = await deadline.spend("query_tower", embed_query(self._models, release, customer))
        question = Question(customer, release.articles, query)
        found = find_candidates(release, question, Allowed(ArticleFilters(), release.articles))
        features = ranking_features(customer, found.proposed, release.articles, release.index, query)
        scores = await deadline.spend("ranker", rank(self._models, release, features))
        order = self._arrange(release, customer, found, scores)
        _describe(release, customer, Ranked(found, scores, order), order[:12], context=-1)

    def _find(
        self,
        trace: Trace,
        release: Release,
        question: Question,
        allowed: Allowed,
        context: int,
        personal: bool,
    ) -> Candidates:
        """Candidates of all sources; only what is trending without purchases, or where a source breaks."""
        if personal:
            found = trace.local("candidates", lambda: find_candidates(release, question, allowed, context))
            if found is not None:
                return found
        return find_candidates(release, question, allowed, context, only_trending=True)

    async def _rank(
        self, trace: Trace, release: Release, question: Question, found: Candidates
    ) -> npt.NDArray[np.float32]:
        """The ranker's scores, else those of the sources' own order."""
        if len(found) == 0:
            return np.empty(0, np.float32)
        features = trace.local(
            "features",
            lambda: ranking_features(
                question.customer, found.proposed, release.articles, release.index, question.query_embedding
            ),
        )
        if features is None:
            return source_order(found)
        scores = await trace.remote("ranker", rank(self._models, release, features))
        return source_order(found) if scores is None else scores

    def _arrange(
        self, release: Release, customer: Customer, found: Candidates, scores: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.intp]:
        positions = found.proposed.positions
        products, vectors = release.articles.product[positions], release.index.vectors[positions]
        return arrange(scores, positions, products, vectors, np.isin(positions, customer.bought), self._rules)


def _filters(request: Request, release: Release) -> tuple[Allowed, int]:
    """The filters against this release, and the position of the article being looked at."""
    context = release.articles.position.get(request.context_article_id, -1)
    return Allowed(request.filters, release.articles, context), context


def _describe(
    release: Release,
    customer: Customer,
    ranked: Ranked,
    shown: npt.NDArray[np.intp],
    context: int,
) -> list[ShownArticle]:
    found, scores = ranked.found, ranked.scores
    positions = found.proposed.positions[shown]
    prices = np.nan_to_num(prices_micros(release.articles, positions)).round().astype(np.int64)
    return [
        ShownArticle(
            article_id=release.articles.ids[position],
            score=score,
            source=source,
            reason=reason(release, customer, position, source, context),
            price_micros=price,
            name=release.articles.name(position),
        )
        for position, score, source, price in zip(
            positions.tolist(), scores[shown].tolist(), found.winners[shown].tolist(), prices.tolist(), strict=True
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
