"""Whether the customer bought a candidate before, or its product in another colour: how often, how long ago."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import FeatureGroup
from serving.ranking.ranking_inputs import NEVER_DAYS, RankingInputs, days_since


class _Matches(NamedTuple):
    same_article: npt.NDArray[np.bool_]  # [m, k] the candidate is what was bought
    same_product: npt.NDArray[np.bool_]  # [m, k] in any colour
    times: npt.NDArray[np.int32]  # [k]
    age_days: npt.NDArray[np.int32]  # [k]

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Matches:
        customer, positions, product = inputs.customer, inputs.positions, inputs.articles.product
        return cls(
            positions[:, None] == customer.bought,
            product[positions][:, None] == product[customer.bought],
            customer.bought_times,
            np.maximum(customer.today - customer.bought_last_day, 0),
        )


OWN_PURCHASES = FeatureGroup[RankingInputs, _Matches](
    _Matches.of,
    {
        "times_bought": lambda matches: matches.same_article @ matches.times,
        "days_since_bought": lambda matches: days_since(matches.same_article, matches.age_days, NEVER_DAYS),
        "product_times_bought": lambda matches: matches.same_product @ matches.times,
        "days_since_product_bought": lambda matches: days_since(matches.same_product, matches.age_days, NEVER_DAYS),
        "product_articles_bought": lambda matches: matches.same_product.sum(axis=1),
    },
)
