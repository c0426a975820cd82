"""How often a candidate is bought again by those who have it, and the chance that this customer does so now."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import NewestPurchases, RankingInputs
from serving.retrieval.position_sets import are_among
from serving.retrieval.repeat_purchases import RepeatPurchases


class _Repeats(NamedTuple):
    known: RepeatPurchases
    positions: npt.NDArray[np.int32]  # [m]
    newest: NewestPurchases

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Repeats | None:
        known = inputs.articles.repeat_purchases
        return None if known is None else cls(known, inputs.positions, inputs.newest)


def _log_rate(rate: npt.NDArray[np.float32]) -> Column:
    return np.log(rate.astype(np.float64) + 1e-6)


def _chance(repeats: _Repeats) -> Column:
    rate = repeats.known.rate[repeats.positions].astype(np.float64)
    freshness = np.exp2(-repeats.newest.age_days.min(initial=1_000) / 2.0)
    return rate * are_among(repeats.positions, repeats.newest.articles) * freshness


REPEAT_PURCHASES = FeatureGroup[RankingInputs, _Repeats](
    _Repeats.of,
    {
        "rebuy_rate": lambda repeats: _log_rate(repeats.known.rate[repeats.positions]),
        "product_rebuy_rate": lambda repeats: _log_rate(repeats.known.product_rate[repeats.positions]),
        "rebuy_chance": _chance,
        "kinds_rebuy_odds": lambda repeats: repeats.known.category_odds[repeats.positions],
        "visit_rebuy_chance": lambda repeats: repeats.known.visit_chance[repeats.positions],
    },
)
