"""What a candidate sells now beside its shop, its department, its own month and its product's other colours.

Shares instead of counts, so they hold from shop to shop and from day to day.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import FeatureGroup
from serving.ranking.ranking_inputs import SALES_SMOOTHING, RankingInputs

DEPARTMENT_SMOOTHING = 5.0


class _Units(NamedTuple):
    of_3_days: npt.NDArray[np.float32]  # [m]
    of_month: npt.NDArray[np.float32]  # [m]
    of_department: npt.NDArray[np.float32]  # [m] 3 days
    of_product: npt.NDArray[np.float32]  # [m] 3 days
    of_shop: float  # 3 days

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Units:
        articles, positions, totals = inputs.articles, inputs.positions, inputs.articles.totals_3d
        return cls(
            inputs.units_3d,
            np.nan_to_num(inputs.activity["units"]),
            totals.by_department[articles.category("department_name")[positions]],
            totals.by_product[articles.product[positions]],
            totals.shop,
        )


SALES_SHARES = FeatureGroup[RankingInputs, _Units](
    _Units.of,
    {
        "share_of_shop": lambda units: np.log((units.of_3_days + SALES_SMOOTHING) / (units.of_shop + 1.0)),
        "share_of_department": lambda units: units.of_3_days / (units.of_department + DEPARTMENT_SMOOTHING),
        "department_share_of_shop": lambda units: units.of_department / max(units.of_shop, 1.0),
        "share_of_month": lambda units: (units.of_3_days + SALES_SMOOTHING) / (units.of_month + 1.0),
        "product_units_3d": lambda units: units.of_product,
    },
)
