"""The nearest of one article among those that may be shown."""

from __future__ import annotations

import numpy as np
import pytest

from serving.retrieval.item_index import ItemIndex


def index(size: int = 200, dim: int = 8) -> ItemIndex:
    vectors = np.random.default_rng(2).normal(size=(size, dim)).astype(np.float32)
    return ItemIndex(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), 0.1, 1.0)


@pytest.mark.parametrize("share", [0.0, 0.02, 0.5, 1.0])
@pytest.mark.parametrize("count", [1, 12, 300])
def test_as_if_all_were_sorted(share: float, count: int) -> None:
    items, rng = index(), np.random.default_rng(3)
    among = rng.random(len(items)) < share
    positions, cosines = items.nearest(7, count, among)
    every = items.vectors @ items.vectors[7]
    expected = sorted(np.flatnonzero(among), key=lambda position: (-every[position], position))[:count]
    assert positions.tolist() == expected
    np.testing.assert_array_equal(cosines, every[expected])


def test_without_a_filter_it_is_what_the_index_finds() -> None:
    items = index()
    among = np.arange(len(items)) != 7
    positions, cosines = items.nearest(7, 20, among)
    found, scores = items.similar(7, 20)
    assert positions.tolist() == found.tolist()
    np.testing.assert_allclose(cosines, scores, rtol=1e-5)
