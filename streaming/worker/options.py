"""How one worker runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from streaming.time.event_clock import WatermarkPolicy


@dataclass(frozen=True)
class WorkerOptions:
    """How one worker runs.

    Attributes:
        watermark_policy: how far ahead of the others a purchase may be dated.
        wall_clock: expire windows by the machine's clock instead of the purchases'.
        max_poll_records: the largest batch; live, batches are as large as what has come in meanwhile.
        log_seconds, log_rows: the event log is written when rows have waited so long, or so many wait.
        expiries_per_tick: how many silent windows may expire between two batches.
        session_timeout_ms: a worker that is gone for so long loses its partitions; 6,000 is the least that brokers
            allow by default. (Static membership would give them back at once to one restarted under its name. But if
            it dies between giving partitions up and the rebalance that hands them on, that rebalance never comes, and
            nobody reads them: the crash campaign found this.)
        instance: names the worker for `vitrine stream status`; None for host and process id.
    """

    watermark_policy: WatermarkPolicy = field(default_factory=WatermarkPolicy)
    wall_clock: bool = False
    max_poll_records: int = 50_000
    log_seconds: float = 10.0
    log_rows: int = 200_000
    expiries_per_tick: int = 500
    session_timeout_ms: int = 6_000
    instance: str | None = None
