"""Ranking metrics on lists whose values can be worked out by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from towers.data.targets import Targets
from towers.evaluation import metrics


def measure(ranked: NDArray[np.int32], targets: Targets) -> dict[str, NDArray[np.float64]]:
    """Every metric of ranked lists, [cases, depth]."""
    return metrics.measure_ranks(metrics.target_ranks(ranked, targets), targets)


def test_metrics_of_one_list_equal_the_values_worked_out_by_hand() -> None:
    # Targets 5 and 7 (5 bought twice); the list finds 5 at rank 1 and 7 at rank 3.
    targets = Targets.from_lists([[5, 5, 7]])
    values = measure(np.array([[5, 1, 7, 2]], np.int32), targets)
    assert values["precision_at_10"][0] == pytest.approx(2 / 10)
    assert values["recall_at_10"][0] == 1.0
    assert values["map_at_12"][0] == pytest.approx((1 / 1 + 2 / 3) / 2)
    # DCG = 1/log2(2) + 1/log2(4) = 1.5; the best list has both first: 1 + 1/log2(3).
    assert values["ndcg_at_10"][0] == pytest.approx(1.5 / (1 + 1 / math.log2(3)))


def test_more_targets_than_ranks_can_still_be_a_perfect_list() -> None:
    targets = Targets.from_lists([list(range(30))])
    values = measure(np.arange(20, dtype=np.int32)[None], targets)
    assert values["map_at_12"][0] == pytest.approx(1.0)
    assert values["ndcg_at_10"][0] == pytest.approx(1.0)
    assert values["recall_at_20"][0] == pytest.approx(20 / 30)


def test_an_article_of_another_customer_is_no_hit_and_padding_is_never_one() -> None:
    targets = Targets.from_lists([[1], [2]])
    ranks = metrics.target_ranks(np.array([[2, -1], [1, 2]], np.int32), targets)
    assert ranks.tolist() == [metrics.NOT_RANKED, 1]


def test_a_list_for_each_case_is_demanded() -> None:
    with pytest.raises(ValueError, match="1 ranked lists for 2 cases"):
        metrics.target_ranks(np.zeros((1, 3), np.int32), Targets.from_lists([[1], [2]]))


def test_a_case_without_targets_has_no_metrics() -> None:
    with pytest.raises(ValueError, match="no targets"):
        measure(np.zeros((2, 3), np.int32), Targets.from_lists([[1], []]))


@given(st.data())
def test_the_vectorised_metrics_equal_a_plain_loop(data: st.DataObject) -> None:
    targets = [data.draw(st.sets(st.integers(0, 30), min_size=1, max_size=15)) for _ in range(3)]
    lists = [data.draw(st.permutations(range(31)))[:25] for _ in range(3)]
    values = measure(np.array(lists, np.int32), Targets.from_lists([sorted(row) for row in targets]))
    for case, (wanted, offered) in enumerate(zip(targets, lists, strict=True)):
        relevant = [article in wanted for article in offered]
        precisions = [sum(relevant[: i + 1]) / (i + 1) for i in range(12) if relevant[i]]
        assert values["map_at_12"][case] == pytest.approx(sum(precisions) / min(len(wanted), 12))
        gains = sum(1 / math.log2(i + 2) for i in range(10) if relevant[i])
        best = sum(1 / math.log2(i + 2) for i in range(min(len(wanted), 10)))
        assert values["ndcg_at_10"][case] == pytest.approx(gains / best)
        assert values["recall_at_12"][case] == pytest.approx(sum(relevant[:12]) / len(wanted))
        assert values["precision_at_20"][case] == pytest.approx(sum(relevant[:20]) / 20)
        assert values["recall_at_100"][case] == pytest.approx(sum(relevant) / len(wanted))
