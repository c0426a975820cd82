"""Few windows and many are packed into the same commands."""

from __future__ import annotations

import random

import pytest

from feature_repo.online.resp import bulk
from streaming.tiles import ARTICLE_TILES, CUSTOMER_TILES, TileFormat
from streaming.window_packing import CallLayout, WriteCalls
from streaming.window_state import WindowState
from streaming.windows import ARTICLE_WINDOW, CUSTOMER_WINDOW, Window
from tests.streaming.worlds import DAY, purchase


def windows(window: Window, tiles: TileFormat, count: int) -> list[WindowState]:
    """Of all sizes, the empty one too, with purchases that wait for their day, tiles that grow and tiles that go."""
    rng = random.Random(5)
    states = []
    for number in range(count):
        state = WindowState(f"{number:010d}", bulk(b"key %d" % number), window, tiles, DAY)
        bought = [
            purchase(
                f"customer {rng.randrange(5)}", f"{rng.randrange(30):010d}", DAY - rng.randrange(-1, 30), offset=at
            )
            for at in range(rng.randrange(25))
        ]
        state.take(bought)
        state.applied[0] = len(bought)
        state.days = {day for day in state.appended if rng.random() < 0.3}
        state.dropped = [DAY - 30 - rng.randrange(5)] if rng.random() < 0.3 else ()
        state.version = b"8 bytes." if rng.random() < 0.5 else b""
        state.restamp(DAY * 86_400_000_000 + rng.choice((0, rng.randrange(10**9))))
        states.append(state)
    return states


def commands(layout: CallLayout, states: list[WindowState]) -> list[bytes]:
    calls = WriteCalls(layout)
    for state in states:
        calls.add(state, b"next one")
    return calls.commands(b"digest")


@pytest.mark.parametrize(("window", "tiles"), [(CUSTOMER_WINDOW, CUSTOMER_TILES), (ARTICLE_WINDOW, ARTICLE_TILES)])
def test_one_by_one_and_by_columns(window: Window, tiles: TileFormat) -> None:
    layout, states = CallLayout.of(window, tiles), windows(window, tiles, 400)
    together = commands(layout, states)
    assert together == [command for state in states for command in commands(layout, [state])]
    assert len(set(together)) == 400
