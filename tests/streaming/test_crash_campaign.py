"""A short crash campaign; `make torture` runs the long one.

Not part of `make test` until `make torture` has ended without a difference: it found several races that only killed
workers show, the last of them a window read at two moments. `pytest -m torture` runs it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.streaming.crash_campaign import run_campaign


@pytest.mark.torture
def test_kills_of_workers_redis_and_kafka_change_no_window(tmp_path: Path) -> None:
    result = run_campaign(tmp_path, rounds=5, purchases=5_000, workers=2, seed=4)
    assert result.compared > 500
    assert (result.differences, result.wrong_in_log) == (0, 0)
