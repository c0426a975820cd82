"""The highest scores, as if all were sorted."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from serving.retrieval.best_first import best_first

SCORES = st.lists(st.integers(-3, 3), max_size=40).map(lambda numbers: np.asarray(numbers, np.float32))


@given(SCORES, st.integers(0, 50))
def test_ties_go_to_what_stands_first(scores: np.ndarray, count: int) -> None:
    expected = sorted(range(scores.size), key=lambda index: (-scores[index], index))[:count]
    assert best_first(scores, count).tolist() == expected


@given(SCORES, st.integers(0, 50), st.randoms())
def test_or_to_the_lower_number(scores: np.ndarray, count: int, rng) -> None:
    ties = np.asarray(rng.sample(range(100), scores.size), np.int32)
    expected = sorted(range(scores.size), key=lambda index: (-scores[index], ties[index]))[:count]
    assert best_first(scores, count, ties).tolist() == expected


@given(st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 2_000]), st.sampled_from([1, 7, 100]))
def test_of_many_that_are_sampled_first(seed: int, distinct: int, count: int) -> None:
    scores = np.random.default_rng(seed).integers(0, distinct, 3_000).astype(np.float32)
    expected = np.lexsort((np.arange(scores.size), -scores))[:count]
    assert best_first(scores, count).tolist() == expected.tolist()
