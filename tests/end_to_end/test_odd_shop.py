"""The whole story of the smallest shop that it can be told of, on real parts: no pictures, one customer, no choice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infra.base.settings import Settings
from infra.demo import story
from tests.odd_shops import ODD_SHOPS


def test_the_story_of_a_shop_with_one_customer_and_one_article_is_told_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for variable in ("REDIS_URL", "KAFKA_BOOTSTRAP_SERVERS", "TF_SERVING_ADDRESS"):
        monkeypatch.delenv(f"VITRINE_{variable}", raising=False)
    monkeypatch.setattr(story, "CALLS", 50)
    data = ODD_SHOPS["one customer, one article"].write(tmp_path / "shop")
    story.tell(Settings(tmp_path / "var"), data)
    told = capsys.readouterr().out
    assert f"pictures are left out: {data / 'images'} is missing" in told
    assert ", 0 failed, 0 degraded" in told
    reports = tmp_path / "var" / "reports"
    assert (reports / "demo" / "recommendations.png").stat().st_size > 1_000
    figures = json.loads((reports / "figures" / "demo.json").read_text())["figures"]
    assert figures["map_at_12"]["value"] == 1.0
