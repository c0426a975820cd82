"""``var/run/stack.json``: what a running local stack tells other commands; ``infra.base.settings`` reads its addresses.

Its texts at the top level are addresses under the names of ``Settings``' fields; ``owner`` is the process that holds
the stack, so that nobody believes the file of one that was killed; ``services`` are its programs.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
