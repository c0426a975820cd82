"""How the process itself fares: how late its event loop runs, how long the garbage collector holds everything up."""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager

from serving.gateway.metrics import EVENT_LOOP_LAG, GC_PAUSES

_PROBE_S = 0.02
_ALLOCATIONS_BETWEEN_COLLECTIONS = 10_000


async def watch_event_loop() -> None:
    """Measure again and again how much later than asked this loop wakes a sleeper; ends when cancelled."""
    while True:
        asleep = time.perf_counter()
        await asyncio.sleep(_PROBE_S)
        EVENT_LOOP_LAG.observe(max(0.0, time.perf_counter() - asleep - _PROBE_S))


@contextmanager
def watched_collector() -> Iterator[None]:
    """Measure each pause of the garbage collector while the block runs."""
    started = 0.0

    def on_collection(phase: str, info: dict[str, int]) -> None:
        nonlocal started
        if phase == "start":
            started = time.perf_counter()
        else:
            GC_PAUSES.labels(str(info["generation"])).observe(time.perf_counter() - started)

    gc.callbacks.append(on_collection)
    try:
        yield
    finally:
        gc.callbacks.remove(on_collection)


def keep_out_of_collections() -> None:
    """What is alive now, such as an open release, stays: no later collection walks through it.

    And collections become rare: an answer leaves some hundred objects in cycles at most, the rest goes by itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_ALLOCATIONS_BETWEEN_COLLECTIONS)
