"""The query tower's pooling of the last articles, derived by hand."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from towers.models.query_tower import RecencyPooling

CONTENT = [[1.0, 0.0], [0.0, 1.0], [9.0, 9.0]]


def pooled(layer: RecencyPooling, ages_days: list[float], present: list[float]) -> np.ndarray:
    return layer(tf.constant([CONTENT]), tf.constant([ages_days]), tf.constant([present]))[0].numpy()


def halving_in(days: float) -> RecencyPooling:
    """A pooling that has learned to halve an article's weight in so many days."""
    layer = RecencyPooling()
    layer.build(None)
    # weight = e^(-softplus(rate) * age), so softplus(rate) = ln 2 / days, and rate = ln(e^(ln 2 / days) - 1).
    layer.set_weights([np.log(np.exp2(1.0 / days) - 1.0)])
    return layer


def test_an_older_article_weighs_less_and_an_absent_one_nothing() -> None:
    # Weights 1 of today, 1/2 of ten days ago, 0 where there is no article; over their sum 1.5: 2/3 and 1/3.
    assert pooled(halving_in(10), [0.0, 10.0, 5.0], [1.0, 1.0, 0.0]) == pytest.approx([2 / 3, 1 / 3], abs=1e-6)


def test_only_the_difference_of_ages_counts() -> None:
    # 2^-3 and 2^-4 are as 2 to 1, like 2^0 and 2^-1.
    assert pooled(halving_in(10), [30.0, 40.0, 0.0], [1.0, 1.0, 0.0]) == pytest.approx([2 / 3, 1 / 3], abs=1e-6)


def test_as_it_starts_hardly_anything_is_forgotten() -> None:
    # softplus(-7) = ln(1 + e^-7) = .000911 a day: after 1,000 days e^-.911 = .402 is left; 1 / 1.402 = .713
    assert pooled(RecencyPooling(), [0.0, 1_000.0, 0.0], [1.0, 1.0, 0.0]) == pytest.approx([0.713, 0.287], abs=5e-4)


def test_who_has_bought_nothing_has_no_direction() -> None:
    assert pooled(halving_in(10), [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]).tolist() == [0.0, 0.0]
