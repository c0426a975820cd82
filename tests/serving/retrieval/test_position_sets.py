"""Sets of positions are as numpy has them."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.retrieval.position_sets import are_among, distinct

POSITIONS = st.lists(st.integers(0, 30), max_size=40).map(lambda numbers: np.asarray(numbers, np.int32))


@given(POSITIONS)
def test_each_once_ascending(positions: np.ndarray) -> None:
    assert distinct(positions).tolist() == np.unique(positions).tolist()


@given(POSITIONS, POSITIONS)
def test_members(positions: np.ndarray, members: np.ndarray) -> None:
    assert are_among(positions, members).tolist() == np.isin(positions, members).tolist()
