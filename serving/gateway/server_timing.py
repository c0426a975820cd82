"""How long a call took inside the gateway, told to the caller in the form of HTTP's ``Server-Timing``.

https://www.w3.org/TR/server-timing: a caller who subtracts it from what it measured knows what the way took.
"""

from __future__ import annotations

SERVER_TIMING = "server-timing"
"""The trailing metadata of every call that the gateway has answered, also of refused ones."""

_TOTAL = "total;dur="


def server_timing(seconds: float) -> tuple[tuple[str, str]]:
    """The metadata that tells of one call."""
    return ((SERVER_TIMING, f"{_TOTAL}{seconds * 1e3:.3f}"),)


def read_milliseconds(value: str) -> float | None:
    """Milliseconds that such metadata tells of; None where it tells of something else."""
    try:
        return float(value.removeprefix(_TOTAL)) if value.startswith(_TOTAL) else None
    except ValueError:
        return None
