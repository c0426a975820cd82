"""The table of rows and slices."""

from __future__ import annotations

import numpy as np
import pytest

from towers.data.targets import Targets
from towers.evaluation.comparison import Comparison
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.metrics import target_ranks
from towers.evaluation.report.markdown import page
from towers.evaluation.report.terminal import main_table
from towers.evaluation.slices import Slice

TARGETS = Targets.from_lists([[0], [1], [2]])
RIGHT = target_ranks(np.array([[0], [1], [2]], np.int32), TARGETS)
WRONG = target_ranks(np.array([[5], [5], [2]], np.int32), TARGETS)


def compared() -> Comparison:
    slices = {
        "all": Slice.of("all", "all", TARGETS, np.ones(3, bool)),
        "warm": Slice.of("warm", "warm", TARGETS, np.array([True, True, False])),
    }
    return Comparison.of({"popularity": WRONG, "vitrine": RIGHT}, slices, seed=1)


def test_cells_are_means_over_the_customers_of_a_slice() -> None:
    cells = compared().cells
    assert cells["all"]["vitrine"]["map_at_12"].mean == 1.0
    assert cells["warm"]["popularity"]["map_at_12"].mean == 0.0
    assert cells["all"]["popularity"]["map_at_12"].mean == pytest.approx(1 / 3)


def test_the_lead_is_paired_where_all_customers_agree_there_is_no_doubt() -> None:
    lead = compared().lead["warm"]["popularity"]["map_at_12"]
    assert (lead.mean, lead.low, lead.high) == (1.0, 1.0, 1.0)
    assert lead.clear_of_zero


def test_every_row_is_shown_with_its_interval() -> None:
    comparison = compared()
    sizes = {"all": ("all customers", 3), "warm": ("with history", 2)}
    evaluation = Evaluation("2020-09-20", sizes, comparison.cells, comparison.lead, {}, {}, {}, {}, None)
    assert main_table(evaluation, "all", comparison.lead).row_count == 2
    text = page(evaluation)
    assert "| vitrine | 1.0000 ± 0.0000 |" in text
    assert "| popularity | +0.6667 [+" in text
