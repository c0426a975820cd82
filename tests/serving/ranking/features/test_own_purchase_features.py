"""Two colours of a product bought, a third one not."""

from __future__ import annotations

from serving.ranking.features.own_purchases import OWN_PURCHASES
from serving.ranking.ranking_inputs import NEVER_DAYS
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import assert_columns, inputs_of
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = shop([0, 0, 0, 0], product=[0, 0, 0, 1])


def test_an_article_bought_before_is_told_from_another_colour_of_it() -> None:
    values = {**bought(("0000000001", 2), ("0000000002", 5)), "customer_history:article_times": [3, 1]}
    assert_columns(
        OWN_PURCHASES,
        inputs_of(Customer.from_values("c", values, ARTICLES, TODAY), ARTICLES),
        {
            "times_bought": [3, 1, 0, 0],
            "days_since_bought": [2, 5, NEVER_DAYS, NEVER_DAYS],
            "product_times_bought": [4, 4, 4, 0],
            "days_since_product_bought": [2, 2, 2, NEVER_DAYS],
            "product_articles_bought": [2, 2, 2, 0],
        },
    )
