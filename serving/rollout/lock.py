"""One rollout at a time."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.base.errors import UserError


@contextmanager
def rollout_lock(model_base_dir: Path) -> Iterator[None]:
    """Hold the lock while the block runs. The kernel lets go of it when the process ends, however it ends.

    Raises:
        UserError: another process holds it.
    """
    model_base_dir.mkdir(parents=True, exist_ok=True)
    path = model_base_dir / "rollout.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise UserError(
                f"another rollout is under way (process {holder} holds {path}); try again when it has ended"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield
