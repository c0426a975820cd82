"""How often a source is right, by the place at which it proposes: what a union that is too large is cut by.

The first article that somebody bought before is bought again far oftener than the hundredth best seller, but the
hundredth best seller may still be a better guess than the fiftieth cold article. How often each place of each source
was right on past days tells which of all proposals are worth ranking, customer by customer: what one source cannot use
the others get.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

STEPS: npt.NDArray[np.int32] = np.unique(np.geomspace(1, 640, 25).round().astype(np.int32)) - 1
"""Places at which a chance begins to hold; from the last on it holds for all."""
_STEP_OF_PLACE = np.searchsorted(STEPS, np.arange(STEPS[-1] + 1), side="right") - 1
SMOOTHING = 5.0
"""Proposals of a step that count as no evidence: a step leans on its whole source."""

Answer = tuple[npt.NDArray[np.int32], npt.NDArray[np.bool_]]
"""Of one customer: the candidates' ranks [m, sources], negative where absent, and which were bought [m]."""


def fit_hit_chances(sources: Sequence[str], answers: Iterable[Answer]) -> dict[str, npt.NDArray[np.float32]]:
    """The chances of each source, [STEPS] each, never rising with the place.

    Args:
        sources: names, in the order of the ranks' columns.
        answers: uncut proposals of past days.
    """
    from scipy.optimize import isotonic_regression

    size = len(STEPS)
    tried, right = np.zeros((len(sources), size)), np.zeros((len(sources), size))
    for ranks, bought in answers:
        for column in range(len(sources)):
            here = ranks[:, column] >= 0
            step = _step(ranks[here, column])
            tried[column] += np.bincount(step, minlength=size)
            right[column] += np.bincount(step, bought[here], size)
    chances = {}
    for column, source in enumerate(sources):
        usual = right[column].sum() / max(tried[column].sum(), 1.0)
        smoothed = (right[column] + SMOOTHING * usual) / (tried[column] + SMOOTHING)
        falling = isotonic_regression(smoothed, weights=np.maximum(tried[column], 1e-3), increasing=False)
        chances[source] = falling.x.astype(np.float32)
    return chances


def chance_of_each(ranks: npt.NDArray[np.int32], chances: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
    """The chance that each source is right about an article, 0 where it does not propose it, [m, sources].

    Args:
        ranks: [m, sources] 0 = first, negative where absent.
        chances: [STEPS] of each source.
    """
    each = np.zeros(ranks.shape, np.float32)
    for column, of_source in enumerate(chances):
        each[:, column] = np.where(ranks[:, column] >= 0, of_source[_step(ranks[:, column])], 0.0)
    return each


def chance_of_any(ranks: npt.NDArray[np.int32], chances: Sequence[npt.NDArray[np.float32]]) -> npt.NDArray[np.float64]:
    """The chance that any of the sources that propose an article is right, as if they erred independently, [m]."""
    any_right: npt.NDArray[np.float64] = 1.0 - np.prod(1.0 - chance_of_each(ranks, chances), axis=1, dtype=np.float64)
    return any_right


def _step(ranks: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    step: npt.NDArray[np.int64] = _STEP_OF_PLACE[np.minimum(ranks, STEPS[-1])]
    return step
