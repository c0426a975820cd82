"""A basket of two, and one purchase before it."""

from __future__ import annotations

import numpy as np
import pytest

from serving.ranking.features.last_basket import LAST_BASKET, NEVER_DAYS_OF_DEPARTMENT
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import NAN, assert_columns, inputs_of, set_columns, values_of
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = set_columns(
    shop([1] * 5, product=[0, 0, 1, 2, 3], department=[1, 1, 2, 2, 3]),
    category_colour_group_name=[1, 2, 2, 1, 3],
    category_product_type_name=[1, 1, 1, 2, 2],
    activity_mean_price_micros=[20, 40, 30, 10, NAN],
    sales_price_mean_micros=[99, 99, 99, 99, 5],
)


def test_candidates_are_seen_beside_the_last_basket_and_what_was_bought_before() -> None:
    # The first and third article three days ago, the fourth a week before.
    history = bought(("0000000001", 3), ("0000000003", 3), ("0000000004", 10))
    assert_columns(
        LAST_BASKET,
        inputs_of(Customer.from_values("c", history, ARTICLES, TODAY), ARTICLES),
        {
            "days_since_department": [3, 3, 3, 3, NEVER_DAYS_OF_DEPARTMENT],
            "department_in_last_basket": [1, 1, 1, 1, 0],
            "last_basket": [2] * 5,
            "in_last_basket": [1, 0, 1, 0, 0],
            "product_in_last_basket": [1, 1, 1, 0, 0],
            "colour_share": [2 / 3, 1 / 3, 1 / 3, 2 / 3, 0],
            "type_share": [2 / 3, 2 / 3, 2 / 3, 1 / 3, 1 / 3],
            "price_over_last": [1, 2, 1.5, 0.5, 0.25],
        },
    )


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_without_purchases_the_basket_is_empty_and_no_price_is_known() -> None:
    values = values_of(LAST_BASKET, inputs_of(Customer.from_values("c", {}, ARTICLES, TODAY), ARTICLES))
    assert np.isnan(values.pop("price_over_last")).all()
    assert (values.pop("days_since_department") == NEVER_DAYS_OF_DEPARTMENT).all()
    assert (np.array(list(values.values())) == 0).all()
