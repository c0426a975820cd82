"""Reads dead letters, and puts them back where they came from once the cause is mended."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from feature_repo.contracts import dead_letter_topic
from infra.base.errors import UserError
from streaming.log.dead_letters import DeadLetter
from streaming.unreachable import kafka_unreachable

GROUP = "vitrine-dead-letters"
_POLL_MS = 500


class DeadLetterReplay:
    """The dead letters of one topic, those first that were not put back yet.

    Args:
        topic: the topic the events came by, such as ``transactions``.

    Raises:
        UserError: Kafka does not answer.
    """

    def __init__(self, bootstrap_servers: str, topic: str) -> None:
        from kafka import KafkaConsumer, TopicPartition
        from kafka.errors import KafkaError

        self._bootstrap_servers = bootstrap_servers
        self._topic = topic
        try:
            self._consumer = KafkaConsumer(
                bootstrap_servers=bootstrap_servers,
                group_id=GROUP,
                enable_auto_commit=False,
                bootstrap_timeout_ms=10_000,
            )
        except KafkaError as error:
            raise kafka_unreachable(bootstrap_servers, error) from error
        self._partition = TopicPartition(dead_letter_topic(topic), 0)
        self._consumer.assign([self._partition])

    def letters(self, *, put_back_too: bool = False) -> list[DeadLetter]:
        """The letters in the order they came, each origin once; a worker that was killed may have written one twice."""
        done = self._consumer.committed(self._partition) or 0
        end = self._consumer.end_offsets([self._partition])[self._partition]
        if put_back_too:
            done = 0
        done = max(done, self._consumer.beginning_offsets([self._partition])[self._partition])
        letters: dict[tuple[int, int], DeadLetter] = {}
        if done < end:
            self._consumer.seek(self._partition, done)
            for record in self._read_until(end):
                letter = _letter(record)
                letters.setdefault((letter.partition, letter.offset), letter)
        self._end = end
        return list(letters.values())

    def put_back(self) -> int:
        """Send the letters that were not put back yet to their topic, whole; returns how many."""
        from kafka import KafkaProducer
        from kafka.structs import OffsetAndMetadata

        letters = self.letters()
        producer = KafkaProducer(bootstrap_servers=self._bootstrap_servers, acks="all", enable_idempotence=True)
        try:
            sent = [producer.send(letter.topic, key=letter.key, value=self._whole_value(letter)) for letter in letters]
            producer.flush()
            for future in sent:
                future.get(timeout=60)
        finally:
            producer.close()
        self._consumer.commit({self._partition: OffsetAndMetadata(self._end, "", -1)})
        return len(letters)

    def close(self) -> None:
        self._consumer.close()

    def _read_until(self, end: int) -> Iterator[Any]:
        while self._consumer.position(self._partition) < end:
            for records in self._consumer.poll(_POLL_MS).values():
                yield from records

    def _whole_value(self, letter: DeadLetter) -> bytes | None:
        """The event as it came; of a long one the letter keeps only the beginning."""
        from kafka import KafkaConsumer, TopicPartition

        if not letter.is_truncated:
            return letter.value
        origin = TopicPartition(letter.topic, letter.partition)
        consumer = KafkaConsumer(bootstrap_servers=self._bootstrap_servers, max_partition_fetch_bytes=64 * 2**20)
        try:
            consumer.assign([origin])
            consumer.seek(origin, letter.offset)
            while consumer.position(origin) <= letter.offset:
                for record in consumer.poll(_POLL_MS, max_records=1).get(origin, []):
                    return record.value  # type: ignore[no-any-return]
        finally:
            consumer.close()
        raise UserError(f"{letter.topic} no longer holds offset {letter.offset} of partition {letter.partition}")


def _letter(record: Any) -> DeadLetter:
    headers = dict(record.headers)
    return DeadLetter(
        headers["topic"].decode(),
        int(headers["partition"]),
        int(headers["offset"]),
        record.key,
        record.value,
        headers["reason"].decode(),
        "truncated" in headers,
    )
