"""The graph's preprocessing equals scikit-learn's."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from towers.data.preprocessing import CLIP, CategoryPreprocessing, NumericPreprocessing, make_vocabulary


@pytest.fixture
def rows() -> np.ndarray:
    rng = np.random.default_rng(3)
    rows = np.stack([rng.lognormal(3, 2, 500), rng.normal(0, 1, 500), np.full(500, 7.0), rng.random(500)], axis=1)
    rows[rng.random(500) < 0.3, 0] = np.nan
    return np.c_[rows, np.full(500, np.nan)].astype(np.float32)


def test_graph_and_sklearn_agree_on_numbers_missing_ones_included(rows: np.ndarray) -> None:
    fitted = NumericPreprocessing.fit(rows)
    unseen = rows.copy()
    unseen[0] = [1e9, -1e9, np.nan, np.nan, np.nan]  # a whale, and missing where fitting saw none
    unseen[1, :4] = 0.0
    expected = fitted.pipeline.transform(unseen.astype(np.float64))
    got = fitted.in_graph(tf.constant(unseen)).numpy()
    assert got.shape == (500, fitted.width)
    np.testing.assert_allclose(got, expected, atol=2e-5)


def test_missing_is_the_mean_and_says_so(rows: np.ndarray) -> None:
    fitted = NumericPreprocessing.fit(rows)
    assert fitted.indicators.tolist() == [0, 4]
    got = fitted.in_graph(tf.constant([[np.nan, np.inf, 7.0, 0.5, 1.0]], tf.float32)).numpy()[0]
    assert got[0] == 0.0
    assert got[1] == CLIP
    assert got[5:].tolist() == [1.0, 0.0]


def test_graph_and_sklearn_agree_on_categories() -> None:
    fitted = CategoryPreprocessing.fit([3, 2])
    indexes = np.array([[0, 1], [2, 0], [1, 1]], np.int32)
    np.testing.assert_array_equal(fitted.in_graph(tf.constant(indexes)).numpy(), fitted.encoder.transform(indexes))


def test_a_vocabulary_starts_with_unknown_and_does_not_depend_on_order() -> None:
    assert make_vocabulary(["b", None, "a", "", "b"]) == ["", "a", "b"]
    assert make_vocabulary(["a", "b"]) == make_vocabulary(["b", "a"])


def test_fitted_to_no_rows_it_knows_nothing_of_any_column() -> None:
    fitted = NumericPreprocessing.fit(np.empty((0, 2), np.float32))
    got = fitted.in_graph(tf.constant([[np.nan, 2.0]], tf.float32)).numpy()
    assert got.shape == (1, fitted.width)
    assert np.isfinite(got).all()
