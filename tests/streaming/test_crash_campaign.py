"""A short crash campaign; `make torture` runs the long one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.streaming.crash_campaign import run_campaign


@pytest.mark.parametrize(("cluster", "rounds"), [(False, 5), (True, 2)], ids=["redis", "cluster"])
def test_kills_of_workers_redis_and_kafka_change_no_window(tmp_path: Path, cluster: bool, rounds: int) -> None:
    result = run_campaign(tmp_path, rounds=rounds, purchases=5_000, workers=2, seed=4, cluster=cluster)
    assert result.compared > 500
    assert (result.differences, result.wrong_in_log) == (0, 0)
