"""Whether the ranker's score is the chance that it claims to be: ten candidates of .1 should bring one purchase."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Candidates in the order of their score, in ``BINS`` of equal size."""

    predicted: Sequence[float]  # mean score of each bin, ascending
    observed: Sequence[float]  # share of its candidates that were bought
    count: int  # candidates in all
    expected_error: float  # mean |predicted - observed|, each bin as heavy as the others (Guo et al. 2017)

    @classmethod
    def of(cls, scores: npt.NDArray[np.float32], bought: npt.NDArray[np.bool_]) -> Calibration | None:
        """Bin all scored candidates, [m] each; None where there are fewer than ``BINS``."""
        if len(scores) < BINS:
            return None
        order = np.argsort(scores, kind="stable")
        parts = np.array_split(order, BINS)
        predicted = [float(scores[part].mean(dtype=np.float64)) for part in parts]
        observed = [float(bought[part].mean()) for part in parts]
        sizes = np.array([len(part) for part in parts])
        error = float(np.average(np.abs(np.subtract(predicted, observed)), weights=sizes))
        return cls(predicted, observed, len(scores), error)
