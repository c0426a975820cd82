"""Sources' worth, calibration and variety, on cases counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from tests.towers.tower_worlds import catalogue
from towers.data.targets import Targets
from towers.evaluation.beyond_accuracy import variety
from towers.evaluation.calibration import Calibration
from towers.evaluation.metrics import NO_ARTICLE, NOT_RANKED
from towers.evaluation.slices import Slice
from towers.evaluation.source_shares import source_worth, union_recall


def test_a_sources_worth_is_what_it_finds_and_what_nothing_else_finds() -> None:
    targets = Targets.from_lists([[1, 2], [3]])
    part = Slice.of("all", "", targets, np.ones(3, bool))
    proposed = np.array([0b01, 0b11, 0b00], np.int32)  # target 1 by the first only, target 2 by both, 3 by none
    ranks = np.array([0, 11, NOT_RANKED], np.int32)
    worth = source_worth(part, ("again", "tower"), proposed, ranks)
    assert union_recall(part, proposed) == pytest.approx(0.5)
    # Case 0: both of two targets, case 1: none of one.
    assert worth["again"].recall == pytest.approx(0.5)
    assert worth["again"].marginal_recall == pytest.approx(0.25)
    assert worth["tower"].recall == pytest.approx(0.25)
    assert worth["tower"].marginal_recall == 0
    assert (worth["again"].share_of_hits, worth["again"].only_source_of_hits) == (1.0, 0.5)
    assert (worth["tower"].share_of_hits, worth["tower"].only_source_of_hits) == (0.5, 0.0)


def test_calibration_bins_by_score_and_weighs_bins_alike() -> None:
    scores = np.repeat(np.linspace(0.05, 0.95, 10), 20).astype(np.float32)
    bought = np.tile((np.arange(20) + 0.5) / 20, 10) < scores  # in each bin as many as the score says
    calibration = Calibration.of(scores, bought)
    assert calibration is not None
    assert calibration.expected_error == pytest.approx(0, abs=1e-6)
    overconfident = Calibration.of(np.minimum(scores + 0.1, 1), bought)
    assert overconfident is not None
    assert overconfident.expected_error == pytest.approx(0.095, abs=1e-3)
    assert Calibration.of(scores[:5], bought[:5]) is None


def test_variety_counts_the_catalogue_the_surprise_and_the_difference() -> None:
    articles = catalogue(12).table
    articles.sales_column("units")[:] = np.nan
    same = np.tile(np.zeros(1, np.int32), (1, 12))
    measured = variety(same, articles)
    assert measured.coverage == pytest.approx(1 / 12)
    assert measured.novelty_bits == pytest.approx(np.log2(12))
    assert measured.diversity == 0
    everything = variety(np.arange(12, dtype=np.int32)[None], articles)
    assert everything.coverage == 1
    # Of 66 pairs, 36 differ in the department and 36 in the colour, out of 11 columns.
    assert everything.diversity == pytest.approx(72 / 66 / 11)


def test_variety_of_a_catalogue_that_does_not_fill_a_list_is_that_of_what_there_is() -> None:
    three, one = catalogue(3).table, catalogue(1).table
    # Two colours of one linen shirt and a wool one: a pair differs in the colour, one in the department, one in both.
    ranked = np.full((1, 500), NO_ARTICLE, np.int32)
    ranked[0, :3] = [2, 0, 1]
    assert variety(ranked, three).diversity == pytest.approx((1 + 2 + 1) / 3 / 11)
    ranked[0, :3] = [0, NO_ARTICLE, NO_ARTICLE]
    alone = variety(ranked, one)
    assert (alone.coverage, alone.novelty_bits, alone.diversity) == (1.0, 0.0, 0.0)
