"""How a candidate sells, and to whom: since ever, and in the last 30 days up to this moment."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import RankingInputs

_EVER = ("units", "distinct_customers", "price_mean_micros", "price_std_micros", "mean_buyer_age", "repeat_rate")
_IN_30_DAYS = ("units", "distinct_customers", "units_7d", "units_3d", "trend", "mean_price_micros")


def _days_since_last_sold(inputs: RankingInputs) -> Column:
    return inputs.customer.today - np.fmax(inputs.sales["last_sale_day"], inputs.activity["last_sale_day"])


def _ever(name: str) -> Callable[[RankingInputs], Column]:
    return lambda inputs: inputs.sales[name]


def _in_30_days(name: str) -> Callable[[RankingInputs], Column]:
    return lambda inputs: inputs.activity[name]


ARTICLE_SALES = FeatureGroup[RankingInputs, RankingInputs](
    lambda inputs: inputs,
    {
        "age_over_buyers_age": lambda inputs: (
            inputs.customer.number("customer_profile:age") - inputs.sales["mean_buyer_age"]
        ),
        "days_since_article_first_sold": lambda inputs: inputs.customer.today - inputs.sales["first_sale_day"],
        "days_since_article_last_sold": _days_since_last_sold,
        **{f"article_{name}": _ever(name) for name in _EVER},
        **{f"article_30d_{name}": _in_30_days(name) for name in _IN_30_DAYS},
    },
)
