"""Measured figures: ``var/reports/figures/<name>.json``, one file per command that measures."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from infra.base.settings import CHECKOUT


@dataclass(frozen=True)
class Figure:
    """One measured value; a peer's value only where the peer ran in the same run, an interval where one is known."""

    value: float
    unit: str
    peer: str | None = None
    peer_value: float | None = None
    interval: tuple[float, float] | None = None  # of 95 %

    def as_json(self) -> dict[str, Any]:
        content: dict[str, Any] = {"value": self.value, "unit": self.unit}
        if self.interval is not None:
            content |= {"low": self.interval[0], "high": self.interval[1]}
        if self.peer is not None and self.peer_value is not None:
            ratio = self.value / self.peer_value if self.peer_value else None
            content |= {"peer": self.peer, "peer_value": self.peer_value, "ratio": ratio}
        return content


def keep_others(reports_dir: Path, name: str, prefix: str) -> dict[str, Any]:
    """Figures of an earlier run at this very commit whose names do not begin with ``prefix``, as they stand."""
    path = reports_dir / "figures" / f"{name}.json"
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    if content.get("commit") != _commit():
        return {}
    return {key: figure for key, figure in content["figures"].items() if not key.startswith(prefix)}


def write_figures(
    reports_dir: Path, name: str, figures: dict[str, Figure], others: dict[str, Any] | None = None
) -> Path:
    """Write the figures of one run atomically and return the file's path.

    Args:
        others: from ``keep_others``: what other runs measured and this one left alone.
    """
    folder = reports_dir / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    content = {
        "name": name,
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": _commit(),
        "machine": _machine(),
        "figures": (others or {}) | {key: figure.as_json() for key, figure in figures.items()},
    }
    path = folder / f"{name}.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(content, indent=2) + "\n")
    partial.replace(path)
    return path


def _commit() -> str:
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _machine() -> dict[str, Any]:
    cpu = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        names = [line.split(":", 1)[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        cpu = names[0] if names else cpu
    return {"cores": os.cpu_count(), "memory_gib": round(psutil.virtual_memory().total / 2**30, 1), "cpu": cpu}
