"""Sets of positions as short arrays: by sorting, which at these sizes takes a third to an eighth of numpy's time."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def distinct(positions: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Each once, ascending."""
    ordered = np.sort(positions)
    is_first = np.ones(ordered.size, np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=is_first[1:])
    return ordered[is_first]


def are_among(positions: npt.NDArray[np.int32], members: npt.NDArray[np.int32]) -> npt.NDArray[np.bool_]:
    """Which of these [m] are members, [m]."""
    if members.size == 0:
        return np.zeros(positions.size, np.bool_)
    ordered = np.sort(members)
    places = np.minimum(np.searchsorted(ordered, positions), ordered.size - 1)
    found: npt.NDArray[np.bool_] = ordered[places] == positions
    return found
