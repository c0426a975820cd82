"""``var/run/stack.json``: what a running local stack tells other commands; ``infra.base.settings`` reads its addresses.

Its texts at the top level are addresses under the names of ``Settings``' fields; ``owner`` is the process that holds
the stack, so that nobody believes the file of one that was killed; ``services`` are its programs.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.base.errors import UserError
from infra.base.process_identity import process_identity


@dataclass(frozen=True)
class ServiceEntry:
    """One program of the stack; ``pid`` None means that it does not run now."""

    name: str
    address: str
    pid: int | None
    log_path: Path


@dataclass(frozen=True)
class StackEntry:
    """What a stack wrote about itself."""

    owner_pid: int
    owner_identity: str
    addresses: dict[str, str]
    services: tuple[ServiceEntry, ...]

    @property
    def is_running(self) -> bool:
        return process_identity(self.owner_pid) == self.owner_identity


def stack_file(run_dir: Path) -> Path:
    return run_dir / "stack.json"


def write_stack_file(run_dir: Path, addresses: dict[str, str], services: list[ServiceEntry]) -> None:
    """Say, atomically, that this process holds a stack."""
    content: dict[str, Any] = {
        **addresses,
        "owner": {"pid": os.getpid(), "identity": process_identity(os.getpid())},
        "services": [
            {"name": entry.name, "address": entry.address, "pid": entry.pid, "log": str(entry.log_path)}
            for entry in services
        ],
    }
    path = stack_file(run_dir)
    partial = path.with_suffix(".partial")
    partial.unlink(missing_ok=True)
    # Its owner's alone: an address may hold a password.
    with open(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(json.dumps(content, indent=2) + "\n")
    partial.replace(path)


def read_stack_file(run_dir: Path) -> StackEntry | None:
    """What the last stack wrote; None when it has ended in order or there was none."""
    try:
        content = json.loads(stack_file(run_dir).read_text())
        return StackEntry(
            owner_pid=int(content["owner"]["pid"]),
            owner_identity=str(content["owner"]["identity"]),
            addresses={key: value for key, value in content.items() if isinstance(value, str)},
            services=tuple(
                ServiceEntry(entry["name"], entry["address"], entry["pid"], Path(entry["log"]))
                for entry in content["services"]
            ),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def remove_stack_file(run_dir: Path) -> None:
    stack_file(run_dir).unlink(missing_ok=True)


@contextmanager
def only_stack_on(run_dir: Path) -> Iterator[None]:
    """Hold the lock of ``run_dir``; the kernel lets it go when this process ends, however it ends.

    Raises:
        UserError: another process holds it.
    """
    run_dir.mkdir(parents=True, exist_ok=True)
    lock = os.open(run_dir / "stack.lock", os.O_RDWR | os.O_CREAT, 0o644)  # not inherited by child programs
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(lock, 32, 0).decode().strip() or "unknown"
            raise UserError(
                f"a local stack already runs on {run_dir.parent} (process {holder}). Commands find it by themselves; "
                "end it with `vitrine stack stop`, or give this one a folder of its own with VITRINE_VAR"
            ) from None
        os.truncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        with contextlib.suppress(OSError):
            os.close(lock)
