"""Articles that a customer did not buy, to learn from: which, and how many of them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def sample_negatives(
    labels: npt.NDArray[np.bool_], per_customer: int, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], float]:
    """Choose which of one customer's candidates the ranker learns from: all that were bought, some that were not.

    Args:
        labels: bought or not, [candidates].
        per_customer: negatives to keep.

    Returns:
        Rows to keep, ascending, and the share of negatives that was kept, which the ranker's calibration needs.
    """
    positives, negatives = np.flatnonzero(labels), np.flatnonzero(~labels)
    if len(negatives) <= per_customer:
        return np.arange(len(labels)), 1.0
    kept = rng.choice(negatives, per_customer, replace=False)
    return np.sort(np.concatenate([positives, kept])), per_customer / len(negatives)
