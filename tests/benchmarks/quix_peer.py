"""Runs the Quix Streams application over a filled topic, in an environment of its own made from ``quix.lock``."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
START_SECONDS = 120


@dataclass(frozen=True)
class PeerRate:
    """Purchases per second through both windows, and which part of the topic was measured."""

    purchases_per_s: float
    first: int
    last: int


def environment(folder: Path) -> Path:
    """The interpreter of the peer's environment, made on first use and again when the lock changes."""
    python, lock, made_from = folder / "bin" / "python", HERE / "quix.lock", folder / "made-from.lock"
    if not made_from.exists() or made_from.read_text() != lock.read_text():
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)], check=True)
        install = [*uv, "pip", "sync", "--quiet", "--python", str(python), "--require-hashes", str(lock)]
        subprocess.run(install, check=True)
        made_from.write_text(lock.read_text())
    return python


def quix_rate(
    python: Path, servers: str, topic: str, redis_url: str, purchases: int, folder: Path, at_most_s: float
) -> PeerRate:
    """Measure from the tenth part of the topic on, where start and group have passed, to its end or for so long.

    A purchase counts half when its customer's window has it and half when its article's has.

    Raises:
        RuntimeError: the application has ended or has not got so far.
    """
    folder.mkdir(parents=True)
    command = [str(python), str(HERE / "quix_windows.py"), servers, topic, str(folder / "state"), redis_url]
    log = folder / "quix.log"
    with log.open("w") as errors, subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as peer:
        assert peer.stdout is not None
        began, start, now = time.monotonic(), None, None
        try:
            for line in peer.stdout:
                at, customers, articles = json.loads(line)
                both = (customers + articles) / 2
                if start is None and both >= purchases / 10:
                    start = (at, both)
                if start is None and at - began > START_SECONDS:
                    raise RuntimeError(f"quix-streams has done {both:,.0f} purchases in {START_SECONDS} s; see {log}")
                now = (at, both)
                if start is not None and (both >= purchases or at - start[0] > at_most_s):
                    break
        finally:
            peer.kill()
    if start is None or now is None or now[0] <= start[0]:
        raise RuntimeError(f"quix-streams ended early: {log.read_text()[-2_000:]}")
    return PeerRate((now[1] - start[1]) / (now[0] - start[0]), int(start[1]), int(now[1]))
