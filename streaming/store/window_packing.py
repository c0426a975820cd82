"""Packs calls of the script that writes a window.

A call is ``EVALSHA digest 1 key``, then the version that Redis must hold, how many tiles grow, how many fields go, the
tiles that grow, the fields that go, and pairs of field and value to set.
"""

from __future__ import annotations

from dataclasses import dataclass

from feature_repo.online.format import encode_timestamp_micros, encode_value
from feature_repo.online.keys import feature_field, timestamp_field
from feature_repo.online.resp import Keyed, script_call
from feature_repo.schema import Kind
from streaming.windows.definitions import Window
from streaming.windows.state import WindowState
from streaming.windows.tiles import TileFormat

HEADER_FIELD = b"w"
EARLY_FIELD = b"w+"


def tile_field(day: int) -> bytes:
    """The hash field of one day's tile: six bytes, so never one of Feast's four."""
    return b"w%05d" % day


@dataclass(frozen=True)
class CallLayout:
    """What the calls for all windows of one kind have in common; features by kind and hash field."""

    features: tuple[tuple[Kind, bytes], ...]
    timestamp_field: bytes
    tiles: TileFormat

    @classmethod
    def of(cls, window: Window, tiles: TileFormat) -> CallLayout:
        view = window.view
        features = tuple((feature.kind, feature_field(view.name, feature.name)) for feature in view.features)
        return cls(features, timestamp_field(view.name), tiles)


def pack_window(layout: CallLayout, state: WindowState, version: bytes, script: bytes) -> Keyed:
    """The call that writes what is pending of one window.

    Args:
        version: that the window will carry.
        script: its digest.
    """
    grown: list[bytes] = []
    new: list[bytes] = []
    for day, entries in state.appended.items():
        (grown if day in state.days else new).extend((tile_field(day), b"".join(entries)))
    dropped = [tile_field(day) for day in state.dropped]
    if state.early_changed:
        if state.early:
            new += (EARLY_FIELD, b"".join([layout.tiles.pack(purchase) for purchase in state.early]))
        else:
            dropped.append(EARLY_FIELD)
    arguments = [state.version, b"%d" % (len(grown) // 2), b"%d" % len(dropped), *grown, *dropped]
    for (kind, field), value in zip(layout.features, state.values(), strict=True):
        arguments += (field, encode_value(kind, value))
    arguments += (layout.timestamp_field, encode_timestamp_micros(state.stamp_us))
    return script_call(script, state.key, *arguments, HEADER_FIELD, state.header(version), *new)
