"""In which order a model's versions are loaded and unloaded: a version serves until its successor is there.

The rule is that of TensorFlow Serving's ``AvailabilityPreservingPolicy``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, NamedTuple


@dataclass(frozen=True)
class VersionSnapshot:
    """What the rule needs to know of a version.

    Attributes:
        wanted: the configuration asks for it.
        new: nobody has tried to load it yet.
        ready: it serves.
    """

    version: int
    wanted: bool
    new: bool
    ready: bool


class Action(NamedTuple):
    """The next thing to do for a model."""

    kind: Literal["load", "unload"]
    version: int


def next_action(versions: Iterable[VersionSnapshot]) -> Action | None:
    """Say what to do next, None when everything is as it should be.

    An unwanted version goes only when a wanted one serves, when nothing is wanted, or when another unwanted one is
    still there to serve. Of the wanted ones the highest is loaded first.
    """
    versions = list(versions)
    wanted = [version for version in versions if version.wanted]
    leaving = [version for version in versions if version.ready and not version.wanted]
    may_unload = not wanted or any(version.ready for version in wanted) or len(leaving) > 1
    if leaving and may_unload:
        return Action("unload", min(version.version for version in leaving))
    new = [version.version for version in wanted if version.new]
    return Action("load", max(new)) if new else None
