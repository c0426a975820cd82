"""The highest of many scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def best_first(
    scores: npt.NDArray[np.floating], count: int, ties: npt.NDArray[np.integer] | None = None
) -> npt.NDArray[np.intp]:
    """Indexes of the ``count`` highest scores, best first, so that answers repeat; only these are sorted.

    Args:
        scores: [m], no NaN.
        ties: [m] of equal scores the one with the lower number comes first; by default the one that stands first.
    """
    chosen = np.arange(scores.size)
    if 0 < count < scores.size:
        least = np.partition(scores, scores.size - count)[scores.size - count]
        above, level = np.flatnonzero(scores > least), np.flatnonzero(scores == least)
        if ties is not None:
            level = level[np.argsort(ties[level], kind="stable")]
        chosen = np.concatenate([above, level[: count - above.size]])
    order = np.lexsort((chosen if ties is None else ties[chosen], -scores[chosen]))
    return chosen[order][: max(count, 0)]
