"""The highest of many scores."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SAMPLED_EVERY = 32
_WORTH_SAMPLING = 8
"""From so many samples a wanted score on, looking at a sample first saves time."""


def best_first(
    scores: npt.NDArray[np.floating], count: int, ties: npt.NDArray[np.integer] | None = None
) -> npt.NDArray[np.intp]:
    """Indexes of the ``count`` highest scores, best first, so that answers repeat; only these are sorted.

    Args:
        scores: [m], no NaN.
        ties: [m] of equal scores the one with the lower number comes first; by default the one that stands first.
    """
    chosen = _promising(scores, count)
    if 0 < count < chosen.size:
        among = scores[chosen]
        least = np.partition(among, among.size - count)[among.size - count]
        above, level = chosen[among > least], chosen[among == least]
        if ties is not None:
            level = level[np.argsort(ties[level], kind="stable")]
        chosen = np.concatenate([above, level[: count - above.size]])
    order = np.lexsort((chosen if ties is None else ties[chosen], -scores[chosen]))
    return chosen[order][: max(count, 0)]


def _promising(scores: npt.NDArray[np.floating], count: int) -> npt.NDArray[np.intp]:
    """Indexes, ascending, that hold the ``count`` highest and all equal to the lowest of these: few where possible.

    What a sample takes for the score of twice the place is reached by more than ``count``, or all are promising.
    """
    if count > 0 and count * _WORTH_SAMPLING < scores.size:
        sample = scores[::_SAMPLED_EVERY]
        place = min(sample.size, 2 * count // _SAMPLED_EVERY + 8)
        promising = np.flatnonzero(scores >= np.partition(sample, sample.size - place)[sample.size - place])
        if promising.size >= count:
            return promising
    return np.arange(scores.size)
