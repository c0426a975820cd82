"""Windows in Redis: a few more fields in the entity's own Feast hash, changed together with its features by one script.

Fields of a hash, beside Feast's four-byte and ``_ts:`` fields, which no name here can meet:

- ``w``: header: version, clock day, event time, and the last offset applied of each source partition
- ``w+``: purchases dated after the clock day
- ``w18525``: the tile of epoch day 18525, one field per day with purchases

One key per script, so Redis Cluster serves. The script writes only if the version is the one that was read: a writer
that was overtaken, whether it lost its partition or merely shares an article with another worker, changes nothing and
is told so.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from typing import NamedTuple

from feature_repo.online.format import entity_key, feature_field, timestamp_field
from feature_repo.schema import WINDOW_DAYS
from streaming.feature_packing import pack_timestamp, packer
from streaming.redis_pipe import Pending, RedisPipe, array_header, bulk, raise_error
from streaming.tiles import TileFormat
from streaming.window_state import WindowState
from streaming.windows import Window

HEADER_FIELD = b"w"
AHEAD_FIELD = b"w+"

_WRITE = """
local header = redis.call('HGET', KEYS[1], 'w')
if header then header = string.sub(header, 1, 8) else header = '' end
if header ~= ARGV[1] then return 0 end
local appended = tonumber(ARGV[2])
local dropped = tonumber(ARGV[3])
local position = 4
for _ = 1, appended do
  local tile = redis.call('HGET', KEYS[1], ARGV[position])
  local entries = ARGV[position + 1]
  if tile then entries = tile .. entries end
  redis.call('HSET', KEYS[1], ARGV[position], entries)
  position = position + 2
end
if dropped > 0 then
  redis.call('HDEL', KEYS[1], unpack(ARGV, position, position + dropped - 1))
  position = position + dropped
end
redis.call('HSET', KEYS[1], unpack(ARGV, position))
return 1
"""

_CLEAR = """
local fields = redis.call('HKEYS', KEYS[1])
for _, field in ipairs(fields) do
  if field == 'w' or field == 'w+' or string.match(field, '^w%d%d%d%d%d+$') then
    redis.call('HDEL', KEYS[1], field)
  end
end
return 1
"""

_VERSION = Struct("<II")
_NO_VERSION = bulk(b"")
_COUNTS = [bulk(b"%d" % number) for number in range(WINDOW_DAYS * 10)]


class Reading(NamedTuple):
    """Windows that were asked for."""

    states: list[WindowState]
    day: int
    days: range
    pending: Pending


class Writing(NamedTuple):
    """Windows that were sent."""

    states: Sequence[WindowState]
    pending: Pending


def tile_field(day: int) -> bytes:
    """The hash field of one day's tile: six bytes, so never one of Feast's four."""
    return b"w%05d" % day


class WindowStore:
    """Reads and writes the windows of one kind of entity.

    Args:
        pipe: the connection; a new one needs a new store.
    """

    def __init__(self, pipe: RedisPipe, window: Window, tiles: TileFormat) -> None:
        self._pipe = pipe
        self.window = window
        self._tiles = tiles
        self.entity = window.view.entity
        features = window.view.features
        self._fields_and_gaps = [
            part for feature in features for part in (bulk(feature_field(window.view.name, feature.name)), b"")
        ]
        self._packers = [packer(feature.kind) for feature in features]
        self._timestamp_field = bulk(timestamp_field(window.view.name))
        self._header_field, self._ahead_field = bulk(HEADER_FIELD), bulk(AHEAD_FIELD)
        self._fixed_arguments = 3 + 1 + 3 + 2 * len(features) + 2 + 2
        self._load_scripts()
        # Versions are told apart across writers and restarts: a random half for the writer, a counting half.
        self._writer = int.from_bytes(os.urandom(4), "little")
        self._writes = 0

    def new(self, entity_id: str, day: int) -> WindowState:
        """The window of an entity that has none: empty, at clock day ``day``."""
        return WindowState(entity_id, bulk(entity_key(self.entity, entity_id)), self.window, self._tiles, day)

    def read(self, entity_ids: Sequence[str], day: int, newest_day: int) -> list[WindowState]:
        """The windows of these entities, in order; of an unknown one an empty window that stands at ``day``.

        Args:
            day: the clock day; tiles that have left the window by then are not fetched.
            newest_day: the newest day that tiles are expected for. A window that stands elsewhere is fetched again.
        """
        return self.receive(self.request(entity_ids, day, newest_day))

    def request(self, entity_ids: Sequence[str], day: int, newest_day: int) -> Reading:
        """First half of ``read``: ask without waiting."""
        newest_day = max(newest_day, day)
        days = range(max(day, newest_day - WINDOW_DAYS) - WINDOW_DAYS + 1, newest_day + 1)
        states = [self.new(entity_id, day) for entity_id in entity_ids]
        return Reading(states, day, days, self._ask(states, [days] * len(states)))

    def receive(self, reading: Reading) -> list[WindowState]:
        """Second half of ``read``."""
        fetched = [(state, reading.days) for state in reading.states]
        replies = self._pipe.read(reading.pending)
        while fetched:
            elsewhere = []
            for (state, days), reply in zip(fetched, replies, strict=True):
                raise_error(reply)
                header = reply[0]
                if header is None:
                    continue
                standing = WindowState.day_of(header)
                # Tiles between its first day and ours are expired: dropped when the window advances.
                first_day = max(standing, reading.day) - WINDOW_DAYS + 1
                if days.start <= first_day and standing < days.stop:
                    state.load(header, reply[1], reply[2:], days.start)
                else:
                    # A writer is far ahead of us, or far behind. It may move on before we have read again: then once
                    # more, for header and tiles must be of one moment.
                    elsewhere.append((state, range(first_day, standing + 1)))
            fetched = elsewhere
            replies = self._pipe.read(self._ask([state for state, _ in fetched], [days for _, days in fetched]))
        return reading.states

    def write(self, states: Sequence[WindowState]) -> list[WindowState]:
        """Write what is pending, each entity in one atomic step; returns those that another writer has overtaken.

        An overtaken state is of no use any more: read it again.
        """
        return self.settle([self.send(states)])

    def send(self, states: Sequence[WindowState]) -> Writing:
        """First half of ``write``: send without waiting."""
        parts: list[bytes] = []
        for state in states:
            self._pack(state, parts)
        return Writing(states, self._pipe.send(parts, len(states)))

    def settle(self, writings: Sequence[Writing]) -> list[WindowState]:
        """Second half of ``write``: what became of it."""
        overtaken = []
        script_unknown = False
        for writing in writings:
            for state, reply in zip(writing.states, self._pipe.read(writing.pending), strict=True):
                if reply == 1:
                    state.written()
                elif reply == 0:
                    overtaken.append(state)
                elif str(reply).startswith("NOSCRIPT"):
                    script_unknown = True
                    overtaken.append(state)
                else:
                    raise_error(reply)
        if script_unknown:
            self._load_scripts()
        return overtaken

    def clear(self, entity_ids: Sequence[str]) -> None:
        """Forget the windows of these entities; their features stay until they are written anew."""
        head = b"*4\r\n$7\r\nEVALSHA\r\n" + bulk(self._clear_script) + b"$1\r\n1\r\n"
        self._pipe.ask([head + bulk(entity_key(self.entity, entity_id)) for entity_id in entity_ids], len(entity_ids))

    def _load_scripts(self) -> None:
        self._head = b"$7\r\nEVALSHA\r\n" + bulk(self._pipe.load_script(_WRITE)) + b"$1\r\n1\r\n"
        self._clear_script = self._pipe.load_script(_CLEAR)

    def _ask(self, states: Sequence[WindowState], days: Sequence[range]) -> Pending:
        parts: list[bytes] = []
        packed: dict[range, tuple[bytes, bytes]] = {}
        for state, span in zip(states, days, strict=True):
            if span not in packed:
                tiles = b"".join([tile_argument(day) for day in span])
                packed[span] = (
                    array_header(4 + len(span)) + b"$5\r\nHMGET\r\n",
                    self._header_field + self._ahead_field + tiles,
                )
            command, fields = packed[span]
            parts += (command, state.key, fields)
        return self._pipe.send(parts, len(states))

    def _pack(self, state: WindowState, parts: list[bytes]) -> None:
        """Pack one call of the script. Tiles of days that have one grow by their entries; others are new fields."""
        grown: list[bytes] = []
        tail: list[bytes] = []
        for day, entries in state.appended.items():
            (grown if day in state.days else tail).extend((tile_argument(day), bulk(b"".join(entries))))
        dropped = [tile_argument(day) for day in state.dropped]
        if state.ahead_changed:
            if state.ahead:
                tail += (self._ahead_field, bulk(b"".join([self._tiles.pack(purchase) for purchase in state.ahead])))
            else:
                dropped.append(self._ahead_field)
        self._writes += 1
        parts += (
            array_header(self._fixed_arguments + len(grown) + len(dropped) + len(tail)),
            self._head,
            state.key,
            b"$8\r\n%b\r\n" % state.version if state.version else _NO_VERSION,
            _COUNTS[len(grown) // 2],
            _COUNTS[len(dropped)],
        )
        parts += grown
        parts += dropped
        features = self._fields_and_gaps.copy()
        features[1::2] = [pack(value) for pack, value in zip(self._packers, state.values(), strict=True)]
        parts += features
        parts += (
            self._timestamp_field,
            pack_timestamp(state.stamp_us),
            self._header_field,
            bulk(state.header(_VERSION.pack(self._writer, self._writes & 0xFFFFFFFF))),
        )
        parts += tail


@lru_cache(maxsize=4096)
def tile_argument(day: int) -> bytes:
    """The field of a day's tile as an argument."""
    return bulk(tile_field(day))
