"""What was shown and done reaches Kafka, and Kafka's troubles reach nobody."""

from __future__ import annotations

import json
import os
import re
import signal
import time
from collections.abc import Iterator
from dataclasses import replace

import grpc
import pytest
from kafka import KafkaConsumer, TopicPartition

from feature_repo.contracts import INTERACTIONS
from infra.local.kafka.topics import EVENT_PARTITIONS
from serving.gateway.interactions.interaction_log import InteractionLog, InteractionLogConfig
from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import article, wait_until


@pytest.fixture
def stub(settings, redis_client, kafka_topics) -> Iterator[recommender_pb2_grpc.RecommenderStub]:
    """A gateway with a real Kafka."""
    world.store_shop(redis_client)
    settings = replace(settings, kafka_bootstrap_servers=kafka_topics.address)
    with world.gateway_thread(settings, world.fast_config()) as address, world.stub_of(address) as stub:
        wait_until(lambda: not recommend(stub).degraded)
        yield stub


def recommend(stub, **fields) -> pb.RecommendResponse:
    return stub.Recommend(pb.RecommendRequest(customer_id="known", **fields), timeout=5)


class Reader:
    """The events of the topic, as they come."""

    def __init__(self, bootstrap_servers: str) -> None:
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap_servers, reconnect_backoff_max_ms=200)
        partitions = [TopicPartition(INTERACTIONS, number) for number in range(EVENT_PARTITIONS)]
        self._consumer.assign(partitions)
        self._consumer.seek_to_beginning(*partitions)
        self.events: list[dict] = []
        self.keys: set[bytes] = set()

    def of_request(self, request_id: str, count: int) -> list[dict]:
        """The events of one request, in order of position, once there are as many."""

        def found() -> list[dict]:
            return [event for event in self.events if event["request_id"] == request_id]

        def enough() -> bool:
            for records in self._consumer.poll(timeout_ms=50).values():
                self.events += [json.loads(record.value) for record in records]
                self.keys.update(record.key for record in records)
            return len(found()) >= count

        wait_until(enough, 20)
        return sorted(found(), key=lambda event: event["position"])

    def close(self) -> None:
        self._consumer.close()


@pytest.fixture
def reader(kafka_topics) -> Iterator[Reader]:
    reader = Reader(kafka_topics.address)
    yield reader
    reader.close()


def test_every_shown_article_becomes_an_impression(stub, reader):
    answer = recommend(stub, request_id="shown", surface="home", count=5, page=1)
    assert not answer.degraded
    events = reader.of_request("shown", 5)
    assert re.fullmatch("[0-9a-f]{32}-5", events[0].pop("event_id"))
    assert events[0] == {
        "occurred_at": "2020-09-20T00:00:00.000000Z",
        "customer_id": "known",
        "kind": "impression",
        "article_id": answer.articles[0].article_id,
        "request_id": "shown",
        "release": 1,
        "position": 5,
        "surface": "home",
    }
    assert [event["article_id"] for event in events] == [shown.article_id for shown in answer.articles]
    assert [event["position"] for event in events] == [5, 6, 7, 8, 9]
    assert reader.keys == {b"known"}


def test_two_answers_to_one_request_id_share_no_event_id(stub, reader):
    """A storefront that numbers its requests anew each morning loses no impression to yesterday's."""
    for _ in range(2):
        assert not recommend(stub, request_id="reused", count=5).degraded
    events = reader.of_request("reused", 10)
    assert len({event["event_id"] for event in events}) == 10


def test_recorded_interactions_are_in_kafka_when_the_call_returns(stub, reader):
    click = pb.Interaction(
        customer_id="known", kind=pb.Interaction.CLICK, article_id=article(3), request_id="done", release=1, position=2
    )
    click.occurred_at.FromJsonString("2020-09-20T10:00:00.000017Z")
    cart = pb.Interaction(
        event_id="e",
        customer_id="known",
        kind=pb.Interaction.CART,
        article_id=article(4),
        request_id="done",
        position=3,
    )
    response = stub.RecordInteractions(pb.RecordInteractionsRequest(interactions=[click, cart]), timeout=10)
    assert response.recorded == 2
    first, second = reader.of_request("done", 2)
    assert (first["kind"], first["article_id"], first["occurred_at"]) == (
        "click",
        article(3),
        "2020-09-20T10:00:00.000017Z",
    )
    assert (second["event_id"], second["kind"], second["occurred_at"]) == ("e", "cart", "2020-09-20T00:00:00.000000Z")


def test_kafka_away_costs_impressions_but_no_answer(stub, reader, kafka_topics):
    kafka_topics.kill()
    for _ in range(50):
        assert len(recommend(stub).articles) == 12
    interaction = pb.Interaction(customer_id="known", kind=pb.Interaction.CLICK, article_id=article(3))
    with pytest.raises(grpc.RpcError) as failure:
        stub.RecordInteractions(pb.RecordInteractionsRequest(interactions=[interaction]), timeout=30)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
    assert failure.value.details() == "Kafka does not acknowledge within 1 s"
    degraded = {part.stage: part.reason for part in recommend(stub).degraded}
    assert "Kafka does not acknowledge" in degraded["impressions"]
    kafka_topics.start_again()
    wait_until(lambda: not recommend(stub).degraded, 30)
    recommend(stub, request_id="again")
    assert len(reader.of_request("again", 12)) == 12


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
def test_waiting_for_kafka_takes_no_processor_time_from_the_answers(kafka_topics, number):
    # Requests end after a quarter of a second: with too many under way, and with a connection that is not yet one.
    interaction_log = InteractionLog(kafka_topics.address, InteractionLogConfig(delivery_timeout_ms=500))
    interaction_log.start()
    event = {"customer_id": "known"}

    def offer(seconds: float) -> float:
        """Share of a processor that it took."""
        until, before = time.monotonic() + seconds, time.process_time()
        while time.monotonic() < until:
            interaction_log.offer([event])
            time.sleep(0.005)
        return (time.process_time() - before) / seconds

    try:
        offer(1.0)
        assert interaction_log.problem is None
        os.kill(kafka_topics.pid, number)
        assert offer(2.0) < 0.4
        assert interaction_log.problem is not None
    finally:
        if number is signal.SIGSTOP:
            os.kill(kafka_topics.pid, signal.SIGCONT)
        interaction_log.close()


def test_without_kafka_from_the_start_answers_say_that_impressions_are_lost(rig):
    wait_until(lambda: bool(rig.recommend().degraded))
    part = rig.recommend().degraded[0]
    assert (part.stage, "Kafka is not reachable" in part.reason) == ("impressions", True)
    interaction = pb.Interaction(customer_id="known", kind=pb.Interaction.CLICK, article_id=article(3))
    with pytest.raises(grpc.RpcError) as failure:
        rig.stub.RecordInteractions(pb.RecordInteractionsRequest(interactions=[interaction]), timeout=10)
    assert failure.value.code() is grpc.StatusCode.UNAVAILABLE
