"""A short crash campaign; `make torture` runs the long one."""

from __future__ import annotations

from pathlib import Path

from tests.streaming.crash_campaign import run_campaign


def test_kills_of_workers_redis_and_kafka_change_no_window(tmp_path: Path) -> None:
    result = run_campaign(tmp_path, rounds=5, purchases=5_000, workers=2, seed=4)
    assert result.compared > 500
    assert (result.differences, result.wrong_in_log) == (0, 0)
