"""Whatever fails or is slow, Recommend answers within its deadline and says what it did without."""

from __future__ import annotations

import logging
import os
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import grpc
import numpy as np
import pytest

from feature_repo.online.keys import entity_key, feature_field
from infra.local.redis import RedisServer
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import article, wait_until
from tests.serving.gateway.test_recommend import degraded, ids

DEADLINE_S = 0.5


@contextmanager
def paused(server: RedisServer) -> Iterator[None]:
    """A server that accepts and never answers."""
    os.kill(server.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(server.pid, signal.SIGCONT)


def broken(*_: object) -> None:
    raise ZeroDivisionError


def reason_for(answer, stage: str) -> str:
    return next(part.reason for part in answer.degraded if part.stage == stage)


def test_without_the_query_tower_the_last_embedding_of_the_customer_stands_in(rig):
    usual = rig.recommend(count=40)
    rig.models.failing["query_tower"] = grpc.StatusCode.UNAVAILABLE
    answer = rig.recommend(count=40)
    assert degraded(answer) == {"query_tower"}
    assert ids(answer) == ids(usual)
    rig.models.stable = 2
    wait_until(lambda: rig.recommend().release == 1)  # a release is not taken whose query tower does not answer
    rig.models.failing.clear()
    wait_until(lambda: rig.recommend("nobody").release == 2)
    rig.models.failing["query_tower"] = grpc.StatusCode.UNAVAILABLE
    other_release = rig.recommend(count=40)  # whose embeddings mean something else
    assert degraded(other_release) == {"query_tower"}
    assert "tower" not in {shown.source for shown in other_release.articles}


def test_without_the_query_tower_the_other_sources_answer(rig):
    rig.models.failing["query_tower"] = grpc.StatusCode.INTERNAL
    answer = rig.recommend(count=40)
    assert degraded(answer) == {"query_tower"}
    assert reason_for(answer, "query_tower") == "INTERNAL"
    assert "tower" not in {shown.source for shown in answer.articles}
    assert ids(answer)[0] == article(1)  # the ranker still ranks


def test_what_a_stage_says_of_its_inside_goes_to_the_log_only(rig, caplog):
    rig.recommend()
    rig.redis_server.kill()
    rig.models.failing["ranker"] = grpc.StatusCode.INTERNAL
    with caplog.at_level(logging.WARNING):
        answer = rig.recommend()
    address = rig.redis_server.url.removeprefix("redis://")
    assert reason_for(answer, "customer") == "ConnectionError"
    assert not any(address.split(":")[-1].rstrip("/0") in part.reason for part in answer.degraded)


def test_without_the_ranker_the_sources_own_order_is_shown(rig):
    rig.models.failing["ranker"] = grpc.StatusCode.UNAVAILABLE
    answer = rig.recommend()
    assert degraded(answer) == {"ranker"}
    first = [shown.source for shown in answer.articles][:3]
    assert first == ["bought_again", "same_product", "bought_together"]
    assert ids(answer)[:3] == [article(7), article(8), article(12)]


@pytest.mark.parametrize(
    "wrong",
    [
        lambda inputs, version: {"score": np.zeros(3, np.float32)},
        lambda inputs, version: {"score": np.full(len(inputs["features"]), np.nan, np.float32)},
        lambda inputs, version: {"another": np.zeros(len(inputs["features"]), np.float32)},
    ],
    ids=["of another number", "not numbers", "under another name"],
)
def test_a_ranker_that_gives_nonsense_counts_as_down(rig, wrong):
    rig.models.models["ranker"] = wrong
    answer = rig.recommend()
    assert degraded(answer) == {"ranker"}
    assert ids(answer)[0] == article(7)


def test_without_redis_who_was_here_lately_is_known_and_others_get_what_was_trending(rig):
    usual = rig.recommend()
    rig.redis_server.kill()
    lately = rig.recommend()
    assert {"customer"} <= degraded(lately) <= {"customer", "article_state"}
    assert ids(lately) == ids(usual)
    assert not lately.unknown_customer
    answer = rig.recommend("never here")
    assert {"customer"} <= degraded(answer) <= {"customer", "article_state"}
    assert not answer.unknown_customer  # that cannot be told
    assert not rig.recommend("nobody").unknown_customer
    assert ids(answer) == [article(number) for number in range(1, 13)]
    wait_until(lambda: degraded(rig.recommend()) == {"customer", "article_state"})
    rig.redis_server.start_again()
    wait_until(lambda: degraded(rig.recommend()) == set())
    assert not rig.recommend().unknown_customer
    assert rig.recommend("nobody").unknown_customer


def test_a_model_server_that_comes_back_is_used_again(rig):
    rig.models.stop()
    answer = rig.recommend()
    assert degraded(answer) == {"query_tower", "ranker"}
    assert len(answer.articles) == 12
    rig.models.start()
    wait_until(lambda: degraded(rig.recommend()) == set())


def test_a_customer_that_cannot_be_read_is_not_called_unknown(rig):
    rig.redis.hset(entity_key("customer", "known"), feature_field("customer_history", "articles"), b"\xff\xff\xff")
    answer = rig.recommend()
    assert degraded(answer) == {"customer"}
    assert not answer.unknown_customer


def test_a_source_that_breaks_leaves_what_is_trending(rig, monkeypatch):
    monkeypatch.setattr("serving.retrieval.sources.bought_again.BoughtAgainSource.propose", broken)
    answer = rig.recommend()
    assert degraded(answer) == {"candidates"}
    assert len(answer.articles) == 12


@pytest.mark.parametrize("stages", [("query_tower",), ("ranker",), ("redis",), ("query_tower", "ranker", "redis")])
def test_stages_that_hang_do_not_cost_the_deadline(rig, stages):
    rig.recommend()  # the channel to the caller is up
    with ExitStack() as stack:
        for stage in stages:
            if stage == "redis":
                stack.enter_context(paused(rig.redis_server))
            else:
                stack.callback(rig.models.hold(stage).set)
        answer = rig.recommend(timeout_s=DEADLINE_S)  # raises DEADLINE_EXCEEDED where it is late
        assert len(answer.articles) == 12
        # With Redis away nobody is known, and the models are not asked about strangers.
        expected = {"customer"} if "redis" in stages else set(stages)
        assert expected <= degraded(answer)
        assert any("no answer within" in part.reason for part in answer.degraded)


@pytest.mark.parametrize("stage", ["query_tower", "ranker", "customer"])
def test_a_stage_that_goes_on_hanging_costs_no_call_its_time_and_is_back_soon(rig, stage):
    usual = rig.recommend()
    with ExitStack() as stack:
        if stage == "customer":
            stack.enter_context(paused(rig.redis_server))
        else:
            stack.callback(rig.models.held.clear)
            stack.callback(rig.models.hold(stage).set)
        wait_until(lambda: "asked again in" in reason_for(rig.recommend(timeout_s=DEADLINE_S), stage))
        milliseconds = []
        for _ in range(10):
            started = time.perf_counter()
            assert stage in degraded(rig.recommend(timeout_s=DEADLINE_S))
            milliseconds.append((time.perf_counter() - started) * 1e3)
        assert np.median(milliseconds) < 40  # the least that any stage may spend of this deadline is twice that
    recovered = time.monotonic()
    wait_until(lambda: not degraded(rig.recommend(timeout_s=DEADLINE_S)))
    assert time.monotonic() - recovered < 2
    assert ids(rig.recommend()) == ids(usual)


def test_a_caller_without_a_deadline_is_answered_within_the_default(rig):
    with ExitStack() as stack:
        for model in ("query_tower", "ranker"):
            stack.callback(rig.models.hold(model).set)
        started = time.monotonic()
        answer = rig.recommend(timeout_s=None)
        assert time.monotonic() - started < 1.0
    assert degraded(answer) == {"query_tower", "ranker"}


def test_a_short_deadline_skips_what_there_is_no_time_for(rig):
    rig.recommend()
    with ExitStack() as stack:
        stack.callback(rig.models.hold("ranker").set)
        for _ in range(3):
            assert len(rig.recommend(timeout_s=0.2).articles) == 12


def test_article_state_goes_on_when_redis_is_emptied(rig):
    rig.redis.flushall()
    world.store_sales(rig.redis, article(40), 99)
    world.announce(rig.redis, 40)
    wait_until(lambda: ids(rig.recommend("nobody"))[0] == article(40))


def test_without_variety_the_rankers_own_order_is_shown(rig, monkeypatch):
    monkeypatch.setattr("serving.ranking.pipeline.rerank", broken)
    answer = rig.recommend(count=40)
    assert degraded(answer) == {"variety"}
    scores = [shown.score for shown in answer.articles if shown.score]
    assert scores == sorted(scores, reverse=True)
    assert len(answer.articles) == 40


def test_where_a_page_cannot_be_cut_the_candidates_by_themselves_are(rig, monkeypatch):
    usual = [ids(rig.recommend(count=5, page=page)) for page in (0, 1)]
    first = rig.recommend(count=5)
    monkeypatch.setattr("serving.gateway.recommend.cut_page", broken)
    answers = [rig.recommend(count=5, page=page) for page in (0, 1)]
    assert [degraded(answer) for answer in answers] == [{"page"}, {"page"}]
    assert [ids(answer) for answer in answers] == usual
    assert not answers[0].next_page_token  # what follows cannot be told
    assert ids(rig.recommend(count=5, page_token=first.next_page_token)) == usual[1]


def test_an_article_whose_reason_breaks_is_shown_without(rig, monkeypatch):
    usual = rig.recommend()
    assert all(shown.reason for shown in usual.articles)
    monkeypatch.setattr("serving.retrieval.sources.bought_again.BoughtAgainSource.reason", broken)
    answer = rig.recommend()
    assert degraded(answer) == {"reasons"}
    assert ids(answer) == ids(usual)
    without = [shown for shown in answer.articles if not shown.reason]
    assert without
    assert {shown.source for shown in without} == {"bought_again"}
