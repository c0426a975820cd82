"""How often each candidate source is right, by rank: counts for ``serving/retrieval/source_precision.py``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression

from serving.retrieval.source_precision import STEPS, step_of

SMOOTHING = 5.0
"""Proposals of a step that count as no evidence: a step leans on its whole source."""

Answer = tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]
"""Of one customer: the candidates' ranks [m, sources], negative where absent, and which were bought [m]."""


def fit_source_precision(sources: Sequence[str], answers: Iterable[Answer]) -> dict[str, npt.NDArray[np.float32]]:
    """The precision of each source, [STEPS] each, never rising with the rank.

    Args:
        sources: names, in the order of the ranks' columns.
        answers: uncut proposals of past days.
    """
    size = len(STEPS)
    tried, right = np.zeros((len(sources), size)), np.zeros((len(sources), size))
    for ranks, bought in answers:
        for column in range(len(sources)):
            here = ranks[:, column] >= 0
            step = step_of(ranks[here, column])
            tried[column] += np.bincount(step, minlength=size)
            right[column] += np.bincount(step, bought[here], size)
    precision = {}
    for column, source in enumerate(sources):
        usual = right[column].sum() / max(tried[column].sum(), 1.0)
        smoothed = (right[column] + SMOOTHING * usual) / (tried[column] + SMOOTHING)
        falling = isotonic_regression(smoothed, weights=np.maximum(tried[column], 1e-3), increasing=False)
        precision[source] = falling.x.astype(np.float32)
    return precision
