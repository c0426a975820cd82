"""Articles that a customer did not buy, to learn from: which, how many, and how likely each was to be drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def mixed_sampling_probability(
    targets: npt.NDArray[np.int32], articles: int, batch_size: int, uniform_negatives: int
) -> npt.NDArray[np.float32]:
    """How likely each article is a candidate of a batch that mixes targets of others with uniform draws.

    The in-batch part of mixed negatives follows popularity, the uniform part lets unsold articles be seen as negatives
    too (Yang et al., Mixed Negative Sampling for Learning Two-tower Neural Networks, 2020). Subtracting the logarithm
    from the logits undoes what the drawing prefers.

    Args:
        targets: article of every training pair.
        articles: size of the catalogue.
        batch_size: targets in a batch.
        uniform_negatives: uniform draws in a batch.

    Returns:
        [articles], summing to 1.
    """
    popularity = np.bincount(targets, minlength=articles) / max(len(targets), 1)
    drawn = batch_size * popularity + uniform_negatives / articles
    probability: npt.NDArray[np.float32] = (drawn / drawn.sum()).astype(np.float32)
    return probability


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
