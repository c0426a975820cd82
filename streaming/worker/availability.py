"""Stock into the online store: the latest word on each article wins, however often and in whatever order it comes.

How far it is applied is marked like the positions of purchases, so what a Redis has lost is read again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from feature_repo.contracts import AVAILABILITY
from feature_repo.events.rules import Availability
from feature_repo.online.format import encode_timestamp_micros, encode_value
from feature_repo.online.keys import entity_key, feature_field, timestamp_field
from feature_repo.online.redis_pipe import Pipe
from feature_repo.online.resp import Keyed, script_call
from feature_repo.schema import ARTICLE_AVAILABILITY, Kind
from streaming.store.checkpoints import Checkpoints

_FEATURE_FIELD = feature_field(ARTICLE_AVAILABILITY.name, ARTICLE_AVAILABILITY.features[0].name)
# The field ``w/`` holds the event time as twenty digits, to compare; times before the newest change nothing.
_WRITE = """
local newest = redis.call('HGET', KEYS[1], 'w/')
if newest and newest >= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'w/', unpack(ARGV))
return 1
"""


class AvailabilityUpdates:
    """Writes ``article_availability`` in Feast's format, one atomic script per article."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe
        self._script = pipe.load_script(_WRITE)

    def apply(self, events: Iterable[Availability]) -> list[str]:
        """Write what is new; returns the ids of the articles whose stock was told."""
        events = list(events)
        replies = self._pipe.ask([self._write(event) for event in events])
        return sorted({event.article_id for event, written in zip(events, replies, strict=True) if written})

    def positions(self, topic_id: str) -> dict[int, int]:
        """Partition to the next offset to apply; of another topic of that name nothing is known."""
        return self._positions(topic_id).read()

    def mark(self, topic_id: str, next_offsets: Mapping[int, int]) -> None:
        """What comes before these offsets was applied."""
        self._positions(topic_id).write(next_offsets)

    def _positions(self, topic_id: str) -> Checkpoints:
        return Checkpoints(self._pipe, f"{AVAILABILITY}:{topic_id}")

    def _write(self, event: Availability) -> Keyed:
        return script_call(
            self._script,
            entity_key("article", event.article_id),
            b"%020d" % event.occurred_at_us,
            _FEATURE_FIELD,
            encode_value(Kind.BOOL, event.in_stock),
            timestamp_field(ARTICLE_AVAILABILITY.name),
            encode_timestamp_micros(event.occurred_at_us),
        )
