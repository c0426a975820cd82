"""In which order a model's versions are loaded and unloaded: a version serves until its successor is there.

The rule is that of TensorFlow Serving's ``AvailabilityPreservingPolicy``.
"""

from __future__ import annotations

from collections.abc import Set
from typing import Literal, NamedTuple


class Action(NamedTuple):
    """The next thing to do for a model."""

    kind: Literal["load", "unload"]
    version: int


def next_action(wanted: Set[int], new: Set[int], ready: Set[int]) -> Action | None:
    """Say what to do next for a model's versions, None when everything is as it should be.

    An unwanted version goes only when a wanted one serves, when nothing is wanted, or when another unwanted one is
    still there to serve. Of the wanted ones the highest is loaded first.

    Args:
        wanted: what the configuration asks for.
        new: what nobody has tried to load yet.
        ready: what serves.
    """
    leaving = ready - wanted
    if leaving and (not wanted or ready & wanted or len(leaving) > 1):
        return Action("unload", min(leaving))
    to_load = new & wanted
    return Action("load", max(to_load)) if to_load else None
