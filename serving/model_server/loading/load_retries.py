"""When a version that could not be loaded is tried again: once its folder has changed, and a few times just so.

TensorFlow Serving tries it ``max_num_load_retries`` times more, ``load_retry_interval_micros`` apart, then never again
before it has vanished and come back. Here a change is enough, be it the rest of a copy or a file that was taken away.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

Contents: TypeAlias = frozenset[tuple[str, int, int, int, int]]


def contents(folder: Path) -> Contents:
    """What tells one state of a folder from another, at the price of a look at its list of files.

    The change time is there because a copy may bring its old modification time along, and for permissions.
    """
    found = []
    for parent, folders, files in os.walk(folder):
        for path in (parent, *(os.path.join(parent, name) for name in (*folders, *files))):
            try:
                state = os.stat(path)
            except OSError:
                continue
            found.append((path, state.st_size, state.st_mtime_ns, state.st_ctime_ns, state.st_ino))
    return frozenset(found)


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon.

    Attributes:
        max_num_load_retries: tries of the same contents after the first one.
        load_retry_interval_micros: between two of them; negative: none.
        quiet_seconds: how long a changed folder has to stay as it is, so that a copy under way is left alone.
    """

    max_num_load_retries: int = 5
    load_retry_interval_micros: int = 60_000_000
    quiet_seconds: float = 1.0


class FailedLoad:
    """The last try of a version, which failed, and what became of its folder since.

    Args:
        tried: the folder's contents when the try began.
        at_s: when it failed.
        before: the try before this one, None for the first.
    """

    def __init__(self, tried: Contents, at_s: float, before: FailedLoad | None) -> None:
        self._tried = tried
        self._at_s = at_s
        self._retries: int = before._retries + 1 if before is not None and before._tried == tried else 0
        self._seen = tried
        self._seen_since_s = at_s

    def is_due(self, found: Contents, now_s: float, policy: RetryPolicy) -> bool:
        """Whether it is time for the next try, now that the folder looks like ``found``."""
        if found != self._seen:
            self._seen, self._seen_since_s = found, now_s
        changed = found != self._tried
        if changed and now_s - self._seen_since_s >= policy.quiet_seconds:
            return True
        # A folder that never comes to rest is tried all the same, though no more often than any other.
        waited = (now_s - self._at_s) * 1_000_000 >= policy.load_retry_interval_micros
        return waited and (changed or self._retries < policy.max_num_load_retries)
