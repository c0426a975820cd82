"""Measured figures are files that others can compare."""

import json

from infra.base.figures import Figure, keep_others, write_figures


def test_a_file_holds_value_unit_peer_and_ratio_and_where_it_was_measured(tmp_path):
    figures = {"map_at_12": Figure(0.3, "1", "popularity", 0.1), "demo_seconds": Figure(12.5, "s")}
    path = write_figures(tmp_path, "demo", figures)
    assert path == tmp_path / "figures" / "demo.json"
    content = json.loads(path.read_text())
    assert content["name"] == "demo"
    assert set(content) == {"name", "measured_at", "commit", "machine", "figures"}
    assert set(content["machine"]) == {"cores", "memory_gib", "cpu"}
    assert content["figures"]["demo_seconds"] == {"value": 12.5, "unit": "s"}
    compared = content["figures"]["map_at_12"]
    assert (compared["peer"], compared["peer_value"]) == ("popularity", 0.1)
    assert abs(compared["ratio"] - 3) < 1e-9


def test_a_peer_of_zero_has_no_ratio(tmp_path):
    path = write_figures(tmp_path, "demo", {"hits": Figure(1.0, "1", "popularity", 0.0)})
    assert json.loads(path.read_text())["figures"]["hits"]["ratio"] is None


def test_an_interval_goes_beside_the_value(tmp_path):
    path = write_figures(tmp_path, "quality", {"map": Figure(0.12, "share", interval=(0.1, 0.14))})
    figure = json.loads(path.read_text())["figures"]["map"]
    assert (figure["low"], figure["value"], figure["high"]) == (0.1, 0.12, 0.14)


def test_what_other_runs_measured_at_this_commit_is_kept_and_of_other_commits_is_not(tmp_path):
    path = write_figures(tmp_path, "quality", {"test.map": Figure(0.1, "share"), "holdout.map": Figure(0.2, "share")})
    others = keep_others(tmp_path, "quality", "test.")
    assert list(others) == ["holdout.map"]
    write_figures(tmp_path, "quality", {"test.map": Figure(0.3, "share")}, others)
    figures = json.loads(path.read_text())["figures"]
    assert {name: figure["value"] for name, figure in figures.items()} == {"test.map": 0.3, "holdout.map": 0.2}
    path.write_text(path.read_text().replace('"commit": "', '"commit": "before-'))
    assert keep_others(tmp_path, "quality", "test.") == {}
