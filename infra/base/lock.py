"""One process at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.base.errors import UserError


@contextmanager
def only_process(path: Path, taken: str, way_out: str) -> Iterator[None]:
    """Hold the lock ``path`` while the block runs. The kernel lets go of it when the process ends, however it ends.

    Args:
        taken, way_out: what to tell people when another process holds it.

    Raises:
        UserError: another process holds it; the message names it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as file:  # not inherited by child programs
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise UserError(f"{taken} (process {holder} holds {path}); {way_out}") from None
        file.truncate(0)
        print(os.getpid(), file=file, flush=True)
        yield
