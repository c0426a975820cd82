"""What was polled, parsed: purchases and the other events by partition; bad ones are set aside with their reason."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from feature_repo.contracts import AVAILABILITY, TRANSACTIONS
from feature_repo.events.catalogue import Catalogue
from feature_repo.events.purchase import Purchase
from feature_repo.events.rules import Availability, BadEventError, parse_availability, parse_interaction
from streaming.events.purchase_parser import PurchaseParser
from streaming.log.dead_letters import DeadLetter, DeadLetters
from streaming.log.event_log import Row
from streaming.log.log_rows import availability_row, interaction_row
from streaming.worker.metrics import Metrics

Event = TypeVar("Event")


@dataclass
class Batch:
    """One poll's events, by Kafka's partitions."""

    purchases: dict[Any, list[Purchase]] = field(default_factory=dict)
    availability: list[list[Availability]] = field(default_factory=list)
    rows: dict[Any, list[tuple[int, Row]]] = field(default_factory=dict)  # offset and row of all but purchases
    next_offsets: dict[Any, int] = field(default_factory=dict)


class EventParser:
    """Parses what was polled.

    Args:
        catalogue: events of articles that it does not hold are bad.
        dead_letters: where bad events go.
    """

    def __init__(self, catalogue: Catalogue, dead_letters: DeadLetters, metrics: Metrics) -> None:
        self._catalogue, self._dead_letters, self._metrics = catalogue, dead_letters, metrics
        self._parser = PurchaseParser(catalogue)

    def parse(self, polled: Mapping[Any, list[Any]], latest_us: int) -> Batch:
        """Parse all records. When this returns, Kafka has the bad ones: their offsets may count as done.

        Args:
            polled: partition -> records, as the consumer gives them.
            latest_us: events dated later are bad; microseconds since 1970.
        """
        batch = Batch()
        for partition, records in polled.items():
            self._metrics.events.labels(partition.topic).inc(len(records))
            batch.next_offsets[partition] = records[-1].offset + 1
            if partition.topic == TRANSACTIONS:
                batch.purchases[partition] = self._purchases(records, latest_us)
            elif partition.topic == AVAILABILITY:
                told = self._events(records, lambda data: parse_availability(data, self._catalogue, latest_us))
                batch.availability.append([event for _, event in told])
                batch.rows[partition] = [(offset, availability_row(event)) for offset, event in told]
            else:
                seen = self._events(records, lambda data: parse_interaction(data, self._catalogue, latest_us))
                batch.rows[partition] = [(offset, interaction_row(event)) for offset, event in seen]
        self._dead_letters.flush()
        return batch

    def _purchases(self, records: Iterable[Any], latest_us: int) -> list[Purchase]:
        parse, purchases = self._parser.parse, []
        for record in records:
            try:
                purchases.append(parse(record.value, record.partition, record.offset, latest_us))
            except BadEventError as error:
                self._refuse(record, str(error))
        return purchases

    def _events(self, records: Iterable[Any], parse: Callable[[bytes], Event]) -> list[tuple[int, Event]]:
        parsed = []
        for record in records:
            try:
                parsed.append((record.offset, parse(record.value)))
            except BadEventError as error:
                self._refuse(record, str(error))
        return parsed

    def _refuse(self, record: Any, reason: str) -> None:
        self._metrics.dead_letters.labels(record.topic).inc()
        self._dead_letters.put(
            DeadLetter(record.topic, record.partition, record.offset, record.key, record.value, reason)
        )
