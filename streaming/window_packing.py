"""Packs calls of the script that writes a window.

A worker writes half a million values a second at full speed, a thousand windows at a time. Then only what each window
has in another number than the next is packed one by one: the tiles that grow, go and come. Features, event times and
headers are columns. A live worker writes a few windows at a time, for which a column costs more than its values.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from feature_repo.online.byte_columns import bulk_columns, join_columns
from feature_repo.online.column_encoding import ARROW_TYPES, encode_column, encode_timestamps
from feature_repo.online.format import encode_timestamp_micros, encode_value, feature_field, timestamp_field
from feature_repo.online.resp import array_header, bulk, script_call
from feature_repo.schema import WINDOW_DAYS, Kind
from streaming.purchase import Purchase
from streaming.tiles import TileFormat
from streaming.window_state import WindowState
from streaming.windows import Window

HEADER_FIELD = b"w"
AHEAD_FIELD = b"w+"

_COLUMNS_PAY_FROM = 200
_NO_VERSION = bulk(b"")
_NUMBERS = [bulk(b"%d" % number) for number in range(WINDOW_DAYS * 10)]


def tile_field(day: int) -> bytes:
    """The hash field of one day's tile: six bytes, so never one of Feast's four."""
    return b"w%05d" % day


@dataclass(frozen=True)
class CallLayout:
    """What the calls for all windows of one kind have in common; fields are packed as arguments."""

    features: tuple[tuple[Kind, bytes], ...]
    timestamp_field: bytes
    header_field: bytes
    ahead_field: bytes
    pack_entry: Callable[[Purchase], bytes]

    @classmethod
    def of(cls, window: Window, tiles: TileFormat) -> CallLayout:
        view = window.view
        return cls(
            tuple((feature.kind, bulk(feature_field(view.name, feature.name))) for feature in view.features),
            bulk(timestamp_field(view.name)),
            bulk(HEADER_FIELD),
            bulk(AHEAD_FIELD),
            tiles.pack,
        )

    @cached_property
    def fixed_arguments(self) -> int:
        """How many arguments a call has if no tile changes."""
        call, version, event_time, header = 4, 1, 2, 2
        return call + version + len(("grown", "dropped")) + 2 * len(self.features) + event_time + header


@lru_cache(maxsize=4096)
def tile_argument(day: int) -> bytes:
    """The field of a day's tile as an argument."""
    return bulk(tile_field(day))


class _Call(NamedTuple):
    """What one call has of its own, in the order of the command."""

    head: bytes
    changes: bytes
    values: list[Any]
    stamp_us: int
    header: bytes
    tiles: bytes


class WriteCalls:
    """Calls of the script that writes a window, for windows of one kind: ``add`` each, then take the ``commands``.

    A call is ``EVALSHA digest 1 key``, then the version that Redis must hold, how many tiles grow, how many fields go,
    the tiles that grow, the fields that go, and pairs of field and value to set.
    """

    def __init__(self, layout: CallLayout) -> None:
        self._layout = layout
        self.states: list[WindowState] = []
        self._calls: list[_Call] = []

    def __len__(self) -> int:
        return len(self.states)

    def add(self, state: WindowState, version: bytes) -> None:
        """Take in what is to be written of a window, which will carry this version."""
        layout = self._layout
        grown: list[bytes] = []
        new: list[bytes] = []
        for day, entries in state.appended.items():
            (grown if day in state.days else new).extend((tile_argument(day), bulk(b"".join(entries))))
        dropped = [tile_argument(day) for day in state.dropped]
        if state.ahead_changed:
            if state.ahead:
                new += (layout.ahead_field, bulk(b"".join([layout.pack_entry(purchase) for purchase in state.ahead])))
            else:
                dropped.append(layout.ahead_field)
        head = array_header(layout.fixed_arguments + len(grown) + len(dropped) + len(new))
        expected = b"$8\r\n%b\r\n" % state.version if state.version else _NO_VERSION
        counts = _NUMBERS[len(grown) // 2] + _NUMBERS[len(dropped)]
        changes = b"".join((state.key, expected, counts, *grown, *dropped))
        self.states.append(state)
        self._calls.append(_Call(head, changes, state.values(), state.stamp_us, state.header(version), b"".join(new)))

    def commands(self, digest: bytes) -> list[bytes]:
        """One command for each window.

        Args:
            digest: of the script.
        """
        script = script_call(digest)
        if len(self._calls) < _COLUMNS_PAY_FROM:
            return [self._command(call, script) for call in self._calls]
        layout = self._layout
        heads, changes, rows, stamps, headers, tiles = zip(*self._calls, strict=True)
        columns = [pa.array(heads, pa.binary()), script, pa.array(changes, pa.binary())]
        for (kind, field), values in zip(layout.features, zip(*rows, strict=True), strict=True):
            columns += [field, *bulk_columns(encode_column(kind, pa.array(values, ARROW_TYPES[kind])))]
        columns += [layout.timestamp_field, *bulk_columns(encode_timestamps(np.array(stamps, dtype=np.int64)))]
        columns += [layout.header_field, *bulk_columns(pa.array(headers, pa.binary()))]
        return join_columns(*columns, pa.array(tiles, pa.binary())).to_pylist()  # type: ignore[no-any-return]

    def _command(self, call: _Call, script: bytes) -> bytes:
        """The command for one window."""
        layout = self._layout
        parts = [call.head, script, call.changes]
        for (kind, field), value in zip(layout.features, call.values, strict=True):
            parts += (field, bulk(encode_value(kind, value)))
        parts += (layout.timestamp_field, bulk(encode_timestamp_micros(call.stamp_us)))
        parts += (layout.header_field, bulk(call.header), call.tiles)
        return b"".join(parts)
