"""The table of rows and slices."""

from __future__ import annotations

import numpy as np

from towers.evaluation.comparison import Comparison, figures, markdown, tables
from towers.evaluation.metrics import Targets


def comparison() -> Comparison:
    targets = Targets.from_lists([[0], [1], [2]])
    right = np.array([[0], [1], [2]], np.int32)
    wrong = np.array([[5], [5], [2]], np.int32)
    slices = {
        "all": np.ones(3, bool),
        "warm": np.array([True, True, False]),
        "nobody": np.zeros(3, bool),
    }
    return Comparison.of("2020-09-20", {"popularity": wrong, "vitrine": right}, targets, slices)


def test_cells_are_means_over_the_customers_of_a_slice() -> None:
    table = comparison()
    assert table.mean("vitrine", "all", "map_at_12") == 1.0
    assert table.mean("popularity", "warm", "map_at_12") == 0.0
    assert abs(table.mean("popularity", "all", "map_at_12") - 1 / 3) < 1e-12


def test_empty_slices_are_left_out_and_every_row_is_shown() -> None:
    content = comparison().as_json()
    assert set(content) == {"all", "warm"}
    sizes = {"all": 3, "warm": 2}
    assert [table.row_count for table in tables(content, sizes)] == [2, 2]
    assert "| vitrine | 1.0000 |" in markdown(content, sizes)


def test_figures_are_named_by_split_slice_row_and_metric_and_carry_popularity_as_peer() -> None:
    named = figures("test", comparison().as_json())
    figure = named["test.all.vitrine.map_at_12"]
    assert figure.value == 1.0
    assert figure.peer == "popularity"
    assert figure.peer_value is not None
    assert abs(figure.peer_value - 1 / 3) < 1e-12
    assert named["test.all.popularity.map_at_12"].peer is None
