"""The local Kafka: topics, and what it keeps when it is killed."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from infra.base.errors import UserError
from infra.local.kafka.server import KafkaServer
from infra.local.kafka.topics import TOPICS, create_topics
from infra.local.ports import HOST, free_port

IN_2018_MS = 1_537_401_600_000


def read_all(server: KafkaServer, topic: str) -> list[bytes]:
    """Every record from the first to the present end of ``topic``."""
    consumer = KafkaConsumer(bootstrap_servers=server.bootstrap_servers, group_id=None)
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(partitions)
        consumer.seek_to_beginning(*partitions)
        missing = sum(consumer.end_offsets(partitions).values())
        values: list[bytes] = []
        while len(values) < missing:
            values += [record.value for records in consumer.poll(100).values() for record in records]
        return values
    finally:
        consumer.close()


def produce(server: KafkaServer, topic: str, values: list[bytes]) -> None:
    producer = KafkaProducer(bootstrap_servers=server.bootstrap_servers, acks="all")
    for value in values:
        producer.send(topic, value, timestamp_ms=IN_2018_MS)
    producer.flush()
    producer.close()


def test_what_it_acknowledged_survives_a_kill_on_the_same_port(kafka_topics: KafkaServer) -> None:
    address = kafka_topics.address
    values = [b"%d" % number for number in range(100)]
    produce(kafka_topics, "transactions", values)
    kafka_topics.kill()
    assert not kafka_topics.is_running
    kafka_topics.start_again()
    assert kafka_topics.address == address
    assert sorted(read_all(kafka_topics, "transactions")) == sorted(values)
    # Ready means that a producer can go on at once, in particular that the new broker is not fenced any more.
    produce(kafka_topics, "transactions", [b"after"])
    assert len(read_all(kafka_topics, "transactions")) == len(values) + 1


def test_the_topics_are_there_and_keep_records_of_any_age(kafka_topics: KafkaServer) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka_topics.bootstrap_servers)
    partitions = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(list(TOPICS))}
    admin.close()
    assert partitions == {
        "transactions": 6,
        "interactions": 6,
        "availability": 6,
        "transactions.dead-letter": 1,
        "interactions.dead-letter": 1,
        "availability.dead-letter": 1,
    }
    assert all(topic.configuration()["retention.ms"] == "-1" for topic in TOPICS.values())


def test_creating_topics_again_changes_nothing(kafka_topics: KafkaServer) -> None:
    produce(kafka_topics, "availability", [b"kept"])
    assert create_topics(kafka_topics.bootstrap_servers) == []
    assert read_all(kafka_topics, "availability") == [b"kept"]


def test_a_purchase_dated_after_today_is_taken_as_well(kafka_topics: KafkaServer) -> None:
    in_2040_ms = 2_208_988_800_000
    producer = KafkaProducer(bootstrap_servers=kafka_topics.bootstrap_servers)
    producer.send("transactions", b"a shop that is ahead of its time", timestamp_ms=in_2040_ms).get(10)
    producer.close()


def test_a_taken_port_is_refused_by_its_number(tmp_path: Path) -> None:
    with socket.create_server((HOST, free_port())) as stranger:
        port = stranger.getsockname()[1]
        with pytest.raises(UserError, match=f"kafka cannot use port {port}"):
            KafkaServer.start(tmp_path / "data", tmp_path / "logs", port)


def test_a_folder_that_cannot_be_formatted_is_an_error_with_kafkas_reason(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "logs").write_text("a file where the folder goes")
    with pytest.raises(UserError, match=r"kafka-format failed with exit code 1.*kafka-format\.log"):
        KafkaServer.start(tmp_path / "data", tmp_path / "logs")
