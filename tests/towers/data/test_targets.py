"""What was bought, looked at by some of the targets or some of the cases."""

from __future__ import annotations

import numpy as np

from towers.data.targets import Targets


def test_some_of_the_targets_can_be_looked_at_alone() -> None:
    targets = Targets.from_lists([[3, 4], [1], [9]])
    only = targets.only(np.array([False, True, True, False]))
    assert only.articles.tolist() == [4, 1]
    assert only.counts.tolist() == [1, 1, 0]
    assert targets.cases.tolist() == [0, 0, 1, 2]


def test_taking_cases_keeps_their_targets() -> None:
    taken = Targets.from_lists([[4, 3], [1], [9]]).take(np.array([2, 0]))
    assert taken.articles.tolist() == [9, 3, 4]
    assert taken.counts.tolist() == [1, 2]
