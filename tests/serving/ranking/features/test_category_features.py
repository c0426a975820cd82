"""In every category other articles are of the last purchase's kind, so no two categories look alike."""

from __future__ import annotations

import numpy as np

from serving.ranking.features.categories import CATEGORY_SHARES
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import assert_columns, inputs_of, set_columns, values_of
from tests.serving.retrieval_worlds import TODAY, bought, shop

OLD, NEW = 1, 2
"""Codes of what was bought three times, and of the last purchase, bought once: in every category the same."""
NUMBERED = {
    "product_type_name": 1,
    "product_group_name": 2,
    "graphical_appearance_name": 3,
    "colour_group_name": 4,
    "perceived_colour_master_name": 5,
    "department_name": 6,
    "index_name": 7,
    "index_group_name": 8,
    "section_name": 9,
    "garment_group_name": 10,
}
"""Article i < 4 is new in a category where bit i of its number is set, old elsewhere."""
IS_NEW = {name: [number >> bit & 1 for bit in range(4)] for name, number in NUMBERED.items()}
ARTICLES = set_columns(
    shop([0] * 6), **{f"category_{name}": [OLD + bit for bit in bits] + [NEW, OLD] for name, bits in IS_NEW.items()}
)
LAST, BEFORE = "0000000005", "0000000006"


def test_shares_of_purchases_by_category_and_whether_the_last_was_of_it() -> None:
    values = {**bought((LAST, 1), (BEFORE, 9)), "customer_history:article_times": [1, 3]}
    new = {name: np.array([*bits, 1, 0]) for name, bits in IS_NEW.items()}
    assert_columns(
        CATEGORY_SHARES,
        inputs_of(Customer.from_values("c", values, ARTICLES, TODAY), ARTICLES),
        {
            **{f"share_{name}": np.where(bits, 0.25, 0.75) for name, bits in new.items()},
            **{f"last_purchase_same_{name}": bits for name, bits in new.items()},
        },
    )


def test_a_stranger_has_no_shares_and_no_last_purchase() -> None:
    values = values_of(CATEGORY_SHARES, inputs_of(Customer.from_values("c", {}, ARTICLES, TODAY), ARTICLES))
    assert np.isnan(values["share_section_name"]).all()
    assert (values["last_purchase_same_section_name"] == 0).all()
