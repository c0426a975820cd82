"""Packs calls of the script that writes a window.

A call is ``EVALSHA digest 1 key``, then the version that Redis must hold, how many tiles grow, how many fields go, the
tiles that grow, the fields that go, and pairs of field and value to set.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from feature_repo.online.format import encode_timestamp_micros, encode_value
from feature_repo.online.keys import feature_field, timestamp_field
from feature_repo.online.resp import array_header, bulk
from feature_repo.schema import WINDOW_DAYS, Kind
from streaming.windows.definitions import Window
from streaming.windows.state import WindowState
from streaming.windows.tiles import TileFormat

HEADER_FIELD = b"w"
AHEAD_FIELD = b"w+"

NUMBERS = [bulk(b"%d" % number) for number in range(WINDOW_DAYS * 10)]
"""Counts of tiles as arguments."""


def tile_field(day: int) -> bytes:
    """The hash field of one day's tile: six bytes, so never one of Feast's four."""
    return b"w%05d" % day


@dataclass(frozen=True)
class CallLayout:
    """What the calls for all windows of one kind have in common; fields are packed as arguments."""

    features: tuple[tuple[Kind, bytes], ...]
    timestamp_field: bytes
    header_field: bytes
    early_field: bytes
    tiles: TileFormat

    @classmethod
    def of(cls, window: Window, tiles: TileFormat) -> CallLayout:
        view = window.view
        return cls(
            tuple((feature.kind, bulk(feature_field(view.name, feature.name))) for feature in view.features),
            bulk(timestamp_field(view.name)),
            bulk(HEADER_FIELD),
            bulk(AHEAD_FIELD),
            tiles,
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


def pack_window(layout: CallLayout, state: WindowState, version: bytes, script: bytes) -> bytes:
    """The call that writes what is pending of one window.

    Args:
        version: that the window will carry.
        script: the packed call of it (``script_call``).
    """
    grown: list[bytes] = []
    new: list[bytes] = []
    for day, entries in state.appended.items():
        (grown if day in state.days else new).extend((tile_argument(day), bulk(b"".join(entries))))
    dropped = [tile_argument(day) for day in state.dropped]
    if state.early_changed:
        if state.early:
            new += (layout.early_field, bulk(b"".join([layout.tiles.pack(purchase) for purchase in state.early])))
        else:
            dropped.append(layout.early_field)
    arguments = layout.fixed_arguments + len(grown) + len(dropped) + len(new)
    parts = [array_header(arguments), script, state.key, bulk(state.version)]
    parts += (NUMBERS[len(grown) // 2], NUMBERS[len(dropped)], *grown, *dropped)
    for (kind, field), value in zip(layout.features, state.values(), strict=True):
        parts += (field, bulk(encode_value(kind, value)))
    parts += (layout.timestamp_field, bulk(encode_timestamp_micros(state.stamp_us)))
    parts += (layout.header_field, bulk(state.header(version)), *new)
    return b"".join(parts)
