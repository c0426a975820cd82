"""A candidate that is likelier after the last purchase by another factor in every category."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from serving.ranking.features.lifts import LIFTS
from serving.retrieval.co_occurrence import CoOccurrence
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import assert_columns, inputs_of, set_columns, values_of
from tests.serving.retrieval_worlds import TODAY, bought, shop

AFTER_NEW = {
    "department_name": 2.0,
    "section_name": 3.0,
    "product_type_name": 4.0,
    "colour_group_name": 5.0,
    "index_name": 6.0,
    "graphical_appearance_name": 7.0,
}
"""How much likelier the candidate, of code 3, is after the last purchase, of code 1, by category."""
AFTER_OLD = 31.0
"""The same after the purchase before, of code 2."""


def lift(after_new: float) -> np.ndarray:
    table = np.ones((4, 4), np.float32)
    table[1, 3], table[2, 3] = after_new, AFTER_OLD
    return table


ARTICLES = replace(
    set_columns(shop([0, 0, 0]), **{f"category_{name}": [1, 2, 3] for name in AFTER_NEW}),
    co_occurrence=CoOccurrence({name: lift(value) for name, value in AFTER_NEW.items()}),
)


def test_purchases_fade_by_half_in_14_days_and_the_last_basket_stands_alone_too() -> None:
    customer = Customer.from_values("c", bought(("0000000001", 2), ("0000000002", 16)), ARTICLES, TODAY)
    # Articles 1 and 2 are as likely after anything as ever. Purchases 14 days apart weigh 2/3 and 1/3.
    assert_columns(
        LIFTS,
        inputs_of(customer, ARTICLES),
        {
            **{f"lift_{name}": [0, 0, np.log(new * 2 / 3 + AFTER_OLD / 3)] for name, new in AFTER_NEW.items()},
            **{f"last_basket_lift_{name}": [0, 0, np.log(new)] for name, new in AFTER_NEW.items()},
        },
    )


def test_nothing_is_known_after_no_purchases() -> None:
    stranger = Customer.from_values("c", {}, ARTICLES, TODAY)
    assert np.isnan(list(values_of(LIFTS, inputs_of(stranger, ARTICLES)).values())).all()
