"""Writes many rows of a feature view into Redis in Feast's format; the newer event time wins, atomically per entity.

Feast reads the stored event times of a batch, compares, and writes: a stream worker that writes in between is
overwritten with old values. Here a small script compares and writes in one step on one key. Commands are put together
column by column, for redis-py takes longer to pack a row than Redis to store it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pyarrow as pa

from feature_repo.online.byte_columns import Column, commands
from feature_repo.online.column_encoding import encode_column, encode_timestamps
from feature_repo.online.keys import entity_key, feature_field, timestamp_field
from feature_repo.online.redis_pipe import Pipe, raise_error
from feature_repo.online.resp import Keyed
from feature_repo.schema import ENTITIES, View

ROWS_PER_BATCH = 2000

# KEYS[1] the entity; ARGV pairs of field and value, the event time's first. Returns 1 if written.
_WRITE_IF_NEWER = """
local function instant(data)
  local at, seconds, nanos = 1, 0, 0
  while at <= #data do
    local tag, number, weight = string.byte(data, at), 0, 1
    repeat
      at = at + 1
      local septet = string.byte(data, at)
      number = number + septet % 128 * weight
      weight = weight * 128
    until septet < 128
    at = at + 1
    if tag == 8 then seconds = number elseif tag == 16 then nanos = number end
  end
  return seconds, nanos
end
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored then
  local old_seconds, old_nanos = instant(stored)
  local seconds, nanos = instant(ARGV[2])
  if seconds < old_seconds or seconds == old_seconds and nanos COMPARED_TO old_nanos then return 0 end
end
redis.call('HSET', KEYS[1], unpack(ARGV))
return 1
"""


class OnlineWriter:
    """Writes rows of feature views to one Redis or a Redis Cluster."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    def write(self, view: View, batches: Iterable[pa.RecordBatch]) -> Iterable[int]:
        """Write rows with the columns of the view's offline table; yields the rows of each batch written or skipped.

        Rows that are older than what is stored are skipped. Of rows as old as what is stored, those of a streamed view
        are skipped, for the stream wrote them; those of other views replace it, so that a corrected catalogue arrives.

        Raises:
            redis.exceptions.RedisError: Redis does not answer, or refuses a row.
        """
        script = _WRITE_IF_NEWER.replace("COMPARED_TO", "<=" if view.source == "stream" else "<")
        digest = self._pipe.load_script(script)
        # One batch stays under way while the next is being put together.
        awaited = self._pipe.send([])
        for batch in batches:
            calls = _calls(view, digest, batch)
            yield self._receive(awaited)
            awaited = self._pipe.send(calls)
        yield self._receive(awaited)

    def _receive(self, awaited: Any) -> int:
        replies = self._pipe.read(awaited)
        for reply in replies:
            raise_error(reply)
        return len(replies)


def _calls(view: View, digest: bytes, batch: pa.RecordBatch) -> list[Keyed]:
    """The script's call for each row."""
    keys = [entity_key(view.entity, entity_id) for entity_id in batch[ENTITIES[view.entity][0]].to_pylist()]
    timestamps = encode_timestamps(batch["event_timestamp"].cast(pa.int64()).to_numpy())
    arguments: list[Column] = [b"EVALSHA", digest, b"1", pa.array(keys, pa.binary())]
    arguments += [timestamp_field(view.name), timestamps]
    for feature in view.features:
        arguments += [feature_field(view.name, feature.name), encode_column(feature.kind, batch[feature.name])]
    return list(zip(keys, commands(*arguments).to_pylist(), strict=True))
