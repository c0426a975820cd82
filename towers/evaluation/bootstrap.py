"""How sure a mean over customers is: percentile intervals from customers drawn again and again.

The same draws serve every row of a table, so that the difference of two rows is paired: a day with many easy customers
is easy for both. Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapters 13 and 8.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

ROUNDS = 1_000
CONFIDENCE = 0.95
_DRAWS_AT_ONCE = 4_000_000


class Interval(NamedTuple):
    """A mean and the range that holds it with ``CONFIDENCE``."""

    mean: float
    low: float
    high: float

    @property
    def clear_of_zero(self) -> bool:
        """Whether zero lies outside."""
        return self.low > 0 or self.high < 0


def resampled_means(values: NDArray[np.floating], seed: int) -> NDArray[np.float64]:
    """Means of as many cases as there are, drawn with replacement; all columns of a round share its draw.

    Args:
        values: [cases, columns].
        seed: the same seed and number of cases draw the same cases.

    Returns:
        [ROUNDS, columns].
    """
    cases = len(values)
    rng = np.random.default_rng(seed)
    at_once = max(1, _DRAWS_AT_ONCE // max(cases, 1))
    means = np.empty((ROUNDS, values.shape[1]))
    for start in range(0, ROUNDS, at_once):
        count = min(at_once, ROUNDS - start)
        drawn = rng.integers(cases, size=(count, cases)) + np.arange(count)[:, None] * cases
        times = np.bincount(drawn.ravel(), minlength=count * cases).reshape(count, cases)
        means[start : start + count] = times @ values / cases
    return means


def intervals(values: NDArray[np.floating], means: NDArray[np.float64]) -> list[Interval]:
    """One interval a column.

    Args:
        values: [cases, columns], what the means were drawn from.
        means: from ``resampled_means``, or a difference of two of its columns with the same of ``values``.
    """
    tail = 100 * (1 - CONFIDENCE) / 2
    low, high = np.percentile(means, [tail, 100 - tail], axis=0)
    return [Interval(*map(float, cell)) for cell in zip(values.mean(axis=0), low, high, strict=True)]
