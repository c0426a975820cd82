"""What is served is what was evaluated: the gateway and the release's files, on the same customers of a later day."""

from __future__ import annotations

import json

import pytest


def test_the_gateway_serves_the_lists_that_were_evaluated(shop):
    agreement = shop.served.agreement
    assert agreement.same_top > 0.99
    assert agreement.same_list > 0.95
    cells = shop.served.cells["all"]
    for metric, cell in cells["vitrine"].items():
        if metric != "recall_at_500":  # an answer holds 100 articles
            assert cells["served"][metric].mean == pytest.approx(cell.mean, abs=0.001), metric


def test_served_lists_beat_the_rule_on_a_day_that_training_never_saw(shop):
    warm = shop.served.table["warm"]
    assert warm["served"]["recall_at_100"] > warm["bought again"]["recall_at_100"]


def test_figures_of_the_holdout_are_kept(shop):
    figures = json.loads((shop.settings.reports_dir / "figures" / "quality.json").read_text())["figures"]
    assert figures["holdout.all.served.same_top"]["value"] == shop.served.agreement.same_top
    assert "holdout.warm.served.map_at_12" in figures
