"""A candidate beside the customer's newest articles, those of the last basket apart."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.features.prices import relative_price
from serving.ranking.ranking_inputs import RankingInputs, days_since
from serving.retrieval.position_sets import are_among

NEVER_DAYS_OF_DEPARTMENT = 100.0
"""Stands for "never" among the newest articles, where a department is hardly older."""


class _Basket(NamedTuple):
    inputs: RankingInputs
    articles: npt.NDArray[np.int32]  # [k] the newest
    age_days: npt.NDArray[np.int32]  # [k]
    in_last: npt.NDArray[np.bool_]  # [k]
    same_department: npt.NDArray[np.bool_]  # [m, k]

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Basket:
        department = inputs.articles.category("department_name")
        same_department = department[inputs.positions][:, None] == department[inputs.newest.articles]
        return cls(inputs, *inputs.newest, same_department)

    def share(self, category: str) -> Column:
        """Share of the newest articles that are of the candidate's kind, 0 without any."""
        codes = self.inputs.articles.category(category)
        same = codes[self.inputs.positions][:, None] == codes[self.articles]
        return same.sum(axis=1) / max(self.articles.size, 1)


def _product_in_last(basket: _Basket) -> Column:
    product = basket.inputs.articles.product
    return are_among(product[basket.inputs.positions], product[basket.articles[basket.in_last]])


def _price_over_last(basket: _Basket) -> Column:
    if basket.articles.size == 0:
        return math.nan
    last, articles = basket.articles[0], basket.inputs.articles
    price = articles.activity_column("mean_price_micros")[last]
    return relative_price(basket.inputs.price, price if price > 0 else articles.sales_column("price_mean_micros")[last])


LAST_BASKET = FeatureGroup[RankingInputs, _Basket](
    _Basket.of,
    {
        "days_since_department": lambda basket: days_since(
            basket.same_department, basket.age_days, NEVER_DAYS_OF_DEPARTMENT
        ),
        "department_in_last_basket": lambda basket: (basket.same_department & basket.in_last).sum(axis=1),
        "last_basket": lambda basket: basket.in_last.sum(),
        "in_last_basket": lambda basket: are_among(basket.inputs.positions, basket.articles[basket.in_last]),
        "product_in_last_basket": _product_in_last,
        "colour_share": lambda basket: basket.share("colour_group_name"),
        "type_share": lambda basket: basket.share("product_type_name"),
        "price_over_last": _price_over_last,
    },
)
