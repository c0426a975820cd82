"""The precision of a source by rank, how often it is right there: what a union that is too large is cut by.

The first article that somebody bought before is bought again far oftener than the hundredth best seller, but the
hundredth best seller may still be a better guess than the fiftieth cold article. How often each place of each source
was right on past days tells which of all proposals are worth ranking, customer by customer: what one source cannot use
the others get.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

STEPS: npt.NDArray[np.int32] = np.unique(np.geomspace(1, 640, 25).round().astype(np.int32)) - 1
"""Ranks at which a precision begins to hold; from the last on it holds for all."""
_STEP_OF_PLACE = np.searchsorted(STEPS, np.arange(STEPS[-1] + 1), side="right") - 1


def precision_of_each(
    ranks: npt.NDArray[np.int32], precision: Sequence[npt.NDArray[np.float32]]
) -> npt.NDArray[np.float32]:
    """The chance that each source is right about an article, 0 where it does not propose it, [m, sources].

    Args:
        ranks: [m, sources] 0 = first, negative where absent.
        precision: [STEPS] of each source.
    """
    each = np.zeros(ranks.shape, np.float32)
    for column, of_source in enumerate(precision):
        each[:, column] = np.where(ranks[:, column] >= 0, of_source[step_of(ranks[:, column])], 0.0)
    return each


def precision_of_any(
    ranks: npt.NDArray[np.int32], precision: Sequence[npt.NDArray[np.float32]]
) -> npt.NDArray[np.float64]:
    """The chance that any of the sources that propose an article is right, as if they erred independently, [m]."""
    any_right: npt.NDArray[np.float64] = 1.0 - np.prod(
        1.0 - precision_of_each(ranks, precision), axis=1, dtype=np.float64
    )
    return any_right


def step_of(ranks: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """The step of STEPS that each rank falls into; ranks are not negative."""
    step: npt.NDArray[np.int64] = _STEP_OF_PLACE[np.minimum(ranks, STEPS[-1])]
    return step
