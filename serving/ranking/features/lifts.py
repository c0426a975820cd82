"""What goes with what was bought: log of how much likelier than usual a candidate's category is after it.

After all that the customer bought lately, and after the last basket alone. Ratios, so they hold from shop to shop.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import RankingInputs
from serving.retrieval.co_occurrence import LIFT_CATEGORIES

HALF_LIFE_DAYS = 14.0


class _Past(NamedTuple):
    inputs: RankingInputs
    lifts: dict[str, npt.NDArray[np.float32]]  # category -> [codes, codes]
    faded: npt.NDArray[np.float64]  # [k] weights of the newest articles, sum 1
    last: npt.NDArray[np.float64]  # [k] the same, of the last basket alone

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Past | None:
        known, newest = inputs.articles.co_occurrence, inputs.newest
        if known is None or newest.articles.size == 0:
            return None
        faded = np.exp2(-newest.age_days / HALF_LIFE_DAYS)
        return cls(inputs, known.lifts, faded / faded.sum(), newest.in_last / newest.in_last.sum())

    def log_lift(self, category: str, weights: npt.NDArray[np.float64]) -> Column:
        codes = self.inputs.articles.category(category)
        lift = weights @ self.lifts[category][codes[self.inputs.newest.articles]]
        return np.log(lift[codes[self.inputs.positions]])


def _after_all(category: str) -> Callable[[_Past], Column]:
    return lambda past: past.log_lift(category, past.faded)


def _after_last_basket(category: str) -> Callable[[_Past], Column]:
    return lambda past: past.log_lift(category, past.last)


LIFTS = FeatureGroup[RankingInputs, _Past](
    _Past.of,
    {
        **{f"lift_{category}": _after_all(category) for category in LIFT_CATEGORIES},
        **{f"last_basket_lift_{category}": _after_last_basket(category) for category in LIFT_CATEGORIES},
    },
)
