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
from collections.abc import Iterable, Sequence
from struct import Struct
from typing import Any, NamedTuple

import numpy as np
from redis.exceptions import NoScriptError

from feature_repo.events.purchase import Purchase
from feature_repo.online.keys import entity_key
from feature_repo.online.redis_pipe import Pipe, raise_error
from feature_repo.online.resp import keyed, same_command, script_call
from feature_repo.schema import WINDOW_DAYS
from streaming.store.column_packing import pack_columns
from streaming.store.stored_windows import StoredWindows
from streaming.store.window_packing import EARLY_FIELD, HEADER_FIELD, CallLayout, pack_window, tile_field
from streaming.windows.column_fold import ColumnFold, FoldedWindows
from streaming.windows.definitions import Window
from streaming.windows.state import WindowState
from streaming.windows.tiles import TileFormat

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


class Reading(NamedTuple):
    """Windows that were asked for, at clock day ``day`` and with the tiles of ``days``."""

    entity_ids: Sequence[str]
    keys: list[bytes]
    day: int
    days: range
    pending: Any


class Writing(NamedTuple):
    """Windows that were sent; of those that were folded by columns there are no states."""

    entity_ids: Sequence[str]
    states: Sequence[WindowState]
    pending: Any


class Folding(NamedTuple):
    """What became of windows that were asked for: those that were folded by columns and sent, and the others."""

    folded: FoldedWindows | None
    writing: Writing
    others: list[WindowState]


class WindowStore:
    """Reads and writes the windows of one kind of entity.

    Args:
        pipe: the connection; a new one needs a new store.
    """

    def __init__(self, pipe: Pipe, window: Window, tiles: TileFormat) -> None:
        self._pipe = pipe
        self.window = window
        self._tiles = tiles
        self._layout = CallLayout.of(window, tiles)
        self.entity = window.view.entity
        self._fold = ColumnFold(window, tiles)
        self._load_scripts()
        # Versions are told apart across writers and restarts: a random half for the writer, a counting half.
        self._writer = int.from_bytes(os.urandom(4), "little")
        self._writes = 0

    def new(self, entity_id: str, day: int) -> WindowState:
        """The window of an entity that has none: empty, at clock day ``day``."""
        return self._state(entity_id, self._key(entity_id), day)

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
        keys = [self._key(entity_id) for entity_id in entity_ids]
        return Reading(entity_ids, keys, day, days, self._pipe.send(same_command(b"HMGET", keys, *_fields(days))))

    def receive(self, reading: Reading) -> list[WindowState]:
        """Second half of ``read``."""
        return self._load(reading, range(len(reading.keys)), self._pipe.read(reading.pending))

    def _load(self, reading: Reading, numbers: Iterable[int], replies: Sequence[Any]) -> list[WindowState]:
        """Those of the windows asked for that have these numbers, from all replies."""
        states = [self._state(reading.entity_ids[number], reading.keys[number], reading.day) for number in numbers]
        fetched = [(state, reading.days) for state in states]
        replies = [replies[number] for number in numbers]
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
            commands = [keyed(b"HMGET", state.key, *_fields(days)) for state, days in fetched]
            replies = self._pipe.read(self._pipe.send(commands))
        return states

    def fold(self, reading: Reading, purchases: Sequence[Sequence[Purchase]], horizon_day: int) -> Folding:
        """Instead of ``receive``: take purchases into the windows that are plain, and send them without waiting.

        Args:
            purchases: of each window that was asked for.
            horizon_day: the newest day to believe.
        """
        replies = self._pipe.read(reading.pending)
        for reply in replies:
            raise_error(reply)
        plain, folded = self._fold.fold(StoredWindows.of(replies, reading.days), purchases, reading.day, horizon_day)
        others = self._load(reading, np.flatnonzero(~plain).tolist(), replies)
        if folded is None:
            return Folding(None, Writing((), (), self._pipe.send(())), others)
        numbers = np.flatnonzero(plain).tolist()
        keys = [reading.keys[number] for number in numbers]
        calls = pack_columns(self._layout, folded, keys, self._next_versions(len(folded)), self._write_script)
        pending = self._pipe.send(list(zip(keys, calls, strict=True)))
        return Folding(folded, Writing([reading.entity_ids[number] for number in numbers], (), pending), others)

    def write(self, states: Sequence[WindowState]) -> list[str]:
        """Write what is pending, each entity in one atomic step; returns those that another writer has overtaken.

        An overtaken state is of no use any more: read it again.
        """
        return self.settle([self.send(states)])

    def send(self, states: Sequence[WindowState]) -> Writing:
        """First half of ``write``: send what is pending of windows without waiting."""
        batch = [
            pack_window(self._layout, state, version, self._write_script)
            for state, version in zip(states, self._next_versions(len(states)), strict=True)
        ]
        return Writing([state.entity_id for state in states], states, self._pipe.send(batch))

    def settle(self, writings: Sequence[Writing]) -> list[str]:
        """Second half of ``write``: wait for what was sent; returns those that another writer has overtaken."""
        overtaken = []
        script_unknown = False
        for writing in writings:
            replies = self._pipe.read(writing.pending)
            for number, reply in enumerate(replies):
                if reply == 1:
                    if writing.states:
                        writing.states[number].written()
                elif reply == 0:
                    overtaken.append(writing.entity_ids[number])
                elif isinstance(reply, NoScriptError):
                    script_unknown = True
                    overtaken.append(writing.entity_ids[number])
                else:
                    raise_error(reply)
        if script_unknown:
            self._load_scripts()
        return overtaken

    def clear(self, entity_ids: Sequence[str]) -> None:
        """Forget the windows of these entities; their features stay until they are written anew."""
        self._pipe.ask([script_call(self._clear_script, self._key(entity_id)) for entity_id in entity_ids])

    def _load_scripts(self) -> None:
        self._write_script = self._pipe.load_script(_WRITE)
        self._clear_script = self._pipe.load_script(_CLEAR)

    def _next_versions(self, count: int) -> list[bytes]:
        """Versions for so many windows, each unlike any before."""
        first = self._writes + 1
        self._writes += count
        return [_VERSION.pack(self._writer, number & 0xFFFFFFFF) for number in range(first, first + count)]

    def _key(self, entity_id: str) -> bytes:
        return entity_key(self.entity, entity_id)

    def _state(self, entity_id: str, key: bytes, day: int) -> WindowState:
        return WindowState(entity_id, key, self.window, self._tiles, day)


def _fields(days: range) -> list[bytes]:
    """What is fetched of a window with the tiles of these days."""
    return [HEADER_FIELD, EARLY_FIELD, *map(tile_field, days)]
