"""How often a candidate is bought again by those who have it, and the chance that this customer does so now."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import NewestPurchases, RankingInputs
from serving.retrieval.affinities import Affinities


class _Repeats(NamedTuple):
    affinities: Affinities
    positions: npt.NDArray[np.int32]  # [m]
    newest: NewestPurchases

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Repeats | None:
        affinities = inputs.articles.affinities
        return None if affinities is None else cls(affinities, inputs.positions, inputs.newest)


def _log_rate(rate: npt.NDArray[np.float32]) -> Column:
    return np.log(rate.astype(np.float64) + 1e-6)


def _chance(repeats: _Repeats) -> Column:
    rate = repeats.affinities.rebuy_rate[repeats.positions].astype(np.float64)
    freshness = np.exp2(-repeats.newest.age_days.min(initial=1_000) / 2.0)
    return rate * np.isin(repeats.positions, repeats.newest.articles) * freshness


REPEAT_PURCHASES = FeatureGroup[RankingInputs, _Repeats](
    _Repeats.of,
    {
        "rebuy_rate": lambda repeats: _log_rate(repeats.affinities.rebuy_rate[repeats.positions]),
        "product_rebuy_rate": lambda repeats: _log_rate(repeats.affinities.product_rebuy_rate[repeats.positions]),
        "rebuy_chance": _chance,
        "kinds_rebuy_odds": lambda repeats: repeats.affinities.rebuy_odds.kinds[repeats.positions],
        "visit_rebuy_chance": lambda repeats: repeats.affinities.rebuy_odds.chance[repeats.positions],
    },
)
