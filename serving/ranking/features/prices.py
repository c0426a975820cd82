"""A candidate's price beside what the customer usually pays, and beside what it usually costs."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import RankingInputs


def relative_price(price: npt.NDArray[np.float32], to: npt.NDArray[np.float32] | np.float32) -> npt.NDArray[np.float32]:
    """How many times as dear, [m]; missing beside a price that is not known or was none: a gift's."""
    times: npt.NDArray[np.float32] = np.divide(price, to, out=np.full_like(price, np.nan), where=to > 0)
    return times


def _over_usual(inputs: RankingInputs) -> Column:
    usual = inputs.customer.number("customer_history:spend_mean_micros")
    return inputs.price / usual if usual > 0 else math.nan


def _zscore(inputs: RankingInputs) -> Column:
    usual = inputs.customer.number("customer_history:spend_mean_micros")
    spread = inputs.customer.number("customer_history:spend_std_micros")
    return (inputs.price - usual) / spread if spread > 0 else math.nan


PRICE_FOR_CUSTOMER = FeatureGroup[RankingInputs, RankingInputs](
    lambda inputs: inputs,
    {"price_over_usual": _over_usual, "price_zscore": _zscore},
)
PRICE_NOW = FeatureGroup[RankingInputs, RankingInputs](
    lambda inputs: inputs,
    {"price_now_over_usual_price": lambda inputs: relative_price(inputs.price, inputs.sales["price_mean_micros"])},
)
