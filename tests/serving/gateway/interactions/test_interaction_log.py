"""The way to Kafka: it begins when the gateway is ready, survives its own errors and holds so many bytes, no more."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from serving.gateway.interactions.interaction_log import InteractionLog, InteractionLogConfig, InteractionLogDown
from serving.gateway.metrics import IMPRESSIONS_DROPPED, INTERACTION_LOG_ERRORS
from serving.proto import recommender_pb2 as pb
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import article, wait_until

EVENT = {"event_id": "e", "customer_id": "c" * 1_000}


def figure(counter) -> float:
    return next(iter(counter.collect())).samples[0].value


class FakeProducer:
    """Takes events; whoever holds it answers for Kafka."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.answers: list[SimpleNamespace] = []
        self.broken = 0  # so many calls raise what kafka-python never would
        self.free = threading.Event()
        self.free.set()

    def send(self, topic, value, key):
        assert self.free.wait(10)
        self.sent.append(value)
        answer = SimpleNamespace()
        answer.add_callback = lambda callback: setattr(answer, "succeed", callback)
        answer.add_errback = lambda errback: setattr(answer, "fail", errback)
        if self.broken:
            self.broken -= 1
            answer.add_callback = None
        self.answers.append(answer)
        return answer

    def close(self, timeout) -> None:
        """Nothing is held back."""


class LogToFake(InteractionLog):
    def __init__(self, producer: FakeProducer, **config: Any) -> None:
        super().__init__("nobody:1", InteractionLogConfig(reconnect_s=0.01, acknowledge_s=5.0, **config))
        self._producer = producer

    def _connect(self) -> Any:
        return self._producer


@contextmanager
def writing(producer: FakeProducer, **config: Any) -> Iterator[InteractionLog]:
    interaction_log = LogToFake(producer, **config)
    interaction_log.start()
    yield interaction_log
    interaction_log.close()


def test_before_the_gateway_is_ready_a_write_is_refused_at_once_and_nothing_is_delivered():
    producer = FakeProducer()
    interaction_log = LogToFake(producer)
    with pytest.raises(InteractionLogDown, match="the gateway is not ready to record; wait for its health service"):
        asyncio.run(asyncio.wait_for(interaction_log.write([EVENT]), 1))
    interaction_log.start()
    interaction_log.close()
    assert producer.sent == []


def test_a_call_before_readiness_says_that_the_gateway_is_not_ready(settings, models, redis_client, tmp_path):
    """There is a catalogue, which other instances share, and no release yet."""
    models.stable = 9
    settings = replace(settings, var_dir=tmp_path)
    click = pb.Interaction(customer_id="known", kind=pb.Interaction.CLICK, article_id=article(1))
    world.write_catalogue(tmp_path, article(1))
    with (
        world.gateway_thread(settings, world.fast_config(), ready=False) as address,
        world.stub_of(address) as stub,
        pytest.raises(grpc.RpcError) as refused,
    ):
        stub.RecordInteractions(pb.RecordInteractionsRequest(interactions=[click]), timeout=10)
    assert refused.value.code() is grpc.StatusCode.UNAVAILABLE
    assert "the gateway is not ready to record" in refused.value.details()


def test_what_no_caller_waits_for_any_more_is_not_sent():
    async def give_up(interaction_log: InteractionLog) -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(interaction_log.write([EVENT]), 0.05)

    producer = FakeProducer()
    dropped = figure(IMPRESSIONS_DROPPED)
    with writing(producer) as interaction_log:
        producer.free.clear()
        interaction_log.offer([EVENT])
        asyncio.run(give_up(interaction_log))
        interaction_log.offer([EVENT])
        producer.free.set()
    assert len(producer.sent) == 2
    assert figure(IMPRESSIONS_DROPPED) == dropped + 1


def test_an_unexpected_error_is_told_and_the_next_events_are_written(caplog):
    producer = FakeProducer()
    errors, dropped = figure(INTERACTION_LOG_ERRORS), figure(IMPRESSIONS_DROPPED)
    with writing(producer) as interaction_log, caplog.at_level(logging.ERROR):
        producer.broken = 1
        interaction_log.offer([EVENT, EVENT])
        wait_until(lambda: figure(INTERACTION_LOG_ERRORS) == errors + 1)
        assert "the gateway met TypeError on the way to Kafka; see its log" in (interaction_log.offer([EVENT]) or "")
        wait_until(lambda: len(producer.sent) == 2)
        producer.answers[1].succeed(None)
        assert interaction_log.offer([EVENT]) is None
    assert figure(IMPRESSIONS_DROPPED) == dropped + 2
    assert "TypeError" in caplog.text


def test_a_caller_whose_events_met_an_unexpected_error_is_told_so():
    producer = FakeProducer()
    producer.broken = 1
    with (
        writing(producer) as interaction_log,
        pytest.raises(InteractionLogDown, match="the gateway met TypeError on the way to Kafka"),
    ):
        asyncio.run(interaction_log.write([EVENT]))


def test_what_waits_for_kafka_is_bounded_in_bytes():
    """Those too that the producer holds: it has no bound of its own."""
    producer = FakeProducer()
    dropped = figure(IMPRESSIONS_DROPPED)
    with writing(producer, queue_bytes=5_000) as interaction_log:
        for _ in range(4):
            assert interaction_log.offer([EVENT]) is None
        full = "5000 bytes of events wait for Kafka already"
        assert interaction_log.offer([EVENT]) == full
        with pytest.raises(InteractionLogDown, match=full):
            asyncio.run(interaction_log.write([EVENT]))
        assert figure(IMPRESSIONS_DROPPED) == dropped + 1
        wait_until(lambda: len(producer.answers) == 4 and hasattr(producer.answers[3], "fail"))
        producer.answers[0].succeed(None)
        producer.answers[1].fail(TimeoutError())
        interaction_log.problem = None
        assert interaction_log.offer([EVENT]) is None
        assert interaction_log.offer([EVENT]) is None
        assert interaction_log.offer([EVENT]) == full


def test_between_two_looks_for_kafka_all_that_waits_is_given_up():
    """Otherwise one batch a look would leave, and the others be told late."""

    class Unreachable(LogToFake):
        def _connect(self) -> Any:
            time.sleep(0.1)  # longer than reconnect_s

    dropped = figure(IMPRESSIONS_DROPPED)
    interaction_log = Unreachable(FakeProducer())
    for _ in range(30):
        interaction_log.offer([EVENT])
    interaction_log.start()
    wait_until(lambda: figure(IMPRESSIONS_DROPPED) == dropped + 30, 2.0)
    interaction_log.close()
