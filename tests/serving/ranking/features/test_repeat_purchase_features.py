"""Two articles, one of which the customer has."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serving.ranking.features.repeat_purchases import REPEAT_PURCHASES
from serving.retrieval.customer import Customer
from serving.retrieval.repeat_purchases import RepeatPurchases
from tests.serving.feature_worlds import assert_columns, inputs_of
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = replace(
    shop([0, 0]),
    repeat_purchases=RepeatPurchases(
        rate=np.array([0.5, 0.25], np.float32),
        product_rate=np.array([0.75, 0.125], np.float32),
        category_odds=np.array([0.3, -0.3], np.float32),
        visit_chance=np.array([-1.0, -2.0], np.float32),
    ),
)


def test_the_chance_of_a_repeat_halves_in_two_days_and_is_none_of_what_the_customer_does_not_have() -> None:
    customer = Customer.from_values("c", bought(("0000000001", 2)), ARTICLES, TODAY)
    assert_columns(
        REPEAT_PURCHASES,
        inputs_of(customer, ARTICLES),
        {
            "rebuy_rate": np.log([0.5 + 1e-6, 0.25 + 1e-6]),
            "product_rebuy_rate": np.log([0.75 + 1e-6, 0.125 + 1e-6]),
            "rebuy_chance": [0.5 / 2, 0],
            "kinds_rebuy_odds": [0.3, -0.3],
            "visit_rebuy_chance": [-1, -2],
        },
    )
