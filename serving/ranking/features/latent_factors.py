"""What a candidate is, by latent taste, to this customer beside the others of its index group. Logarithms."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import FeatureGroup
from serving.ranking.ranking_inputs import SALES_SMOOTHING, RankingInputs
from serving.retrieval.latent_factors import GROUP


class _Chances(NamedTuple):
    lift: npt.NDArray[np.float32]  # [m] log: likelier by so much than others of its group, for the customer's taste
    share_of_group: npt.NDArray[np.float32]  # [m] of the group's sales of the last 3 days
    log_share: npt.NDArray[np.float32]  # [m] of how often the customer chooses in the group

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Chances | None:
        articles, customer, positions = inputs.articles, inputs.customer, inputs.positions
        if articles.latent_factors is None:
            return None
        groups = articles.category(GROUP)
        taste = articles.latent_factors.of(customer.bought, customer.bought_last_day, groups, articles.product)
        group = groups[positions]
        return cls(
            articles.latent_factors.vectors[positions] @ taste.mean - taste.log_norms[group],
            (inputs.units_3d + SALES_SMOOTHING) / (articles.totals_3d.by_group[group] + 1.0),
            taste.log_shares[group],
        )


LATENT_FACTORS = FeatureGroup[RankingInputs, _Chances](
    _Chances.of,
    {
        "taste_lift": lambda chances: chances.lift,
        # Of its chance among all articles.
        "taste_log_chance": lambda chances: chances.lift + np.log(chances.share_of_group) + chances.log_share,
        "index_group_log_share": lambda chances: chances.log_share,
    },
)
