"""Thirteen units sold, by hand."""

from __future__ import annotations

import numpy as np

from serving.ranking.features.sales_shares import SALES_SHARES
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import assert_columns, inputs_of, set_columns
from tests.serving.retrieval_worlds import TODAY, shop

# 13 units in 3 days: of departments 8, 8 and 5; of products 6, 7 and 7.
ARTICLES = set_columns(shop([6, 2, 5], product=[0, 1, 1], department=[1, 1, 2]), activity_units=[11, 4, 9])


def test_sales_are_seen_beside_those_of_shop_department_month_and_product() -> None:
    assert_columns(
        SALES_SHARES,
        inputs_of(Customer.from_values("c", {}, ARTICLES, TODAY), ARTICLES),
        {
            "share_of_shop": np.log([6.3 / 14, 2.3 / 14, 5.3 / 14]),
            "share_of_department": [6 / 13, 2 / 13, 5 / 10],
            "department_share_of_shop": [8 / 13, 8 / 13, 5 / 13],
            "share_of_month": [6.3 / 12, 2.3 / 5, 5.3 / 10],
            "product_units_3d": [6, 7, 7],
        },
    )
