"""Rates of many groups, some of which are small."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def shrunk_rates(
    group: npt.NDArray[np.integer],
    hits: npt.NDArray[np.float64] | npt.NDArray[np.bool_],
    prior: npt.NDArray[np.float64],
    smoothing: float,
) -> npt.NDArray[np.float64]:
    """Share of hits in each group, drawn towards the group's prior as ``smoothing`` more tries would.

    Args:
        group: of each try, [m].
        hits: [m].
        prior: of each group, [groups].

    Returns:
        [groups].
    """
    size = len(prior)
    tries = np.bincount(group, minlength=size) + smoothing
    rates: npt.NDArray[np.float64] = (np.bincount(group, hits, size) + smoothing * prior) / tries
    return rates
