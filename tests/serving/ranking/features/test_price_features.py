"""Prices in whole numbers beside each other."""

from __future__ import annotations

from serving.ranking.features.prices import PRICE_FOR_CUSTOMER, PRICE_NOW
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import NAN, assert_columns, inputs_of, set_columns, values_of
from tests.serving.retrieval_worlds import TODAY, shop

# The first costs 20 now and 10 usually; the second, not sold lately, costs 40.
ARTICLES = set_columns(shop([1, 1]), activity_mean_price_micros=[20, NAN], sales_price_mean_micros=[10, 40])
USUAL = {"customer_history:spend_mean_micros": 16, "customer_history:spend_std_micros": 4}


def test_a_price_is_seen_beside_what_the_customer_pays_and_what_it_usually_is() -> None:
    inputs = inputs_of(Customer.from_values("c", USUAL, ARTICLES, TODAY), ARTICLES)
    assert_columns(PRICE_FOR_CUSTOMER, inputs, {"price_over_usual": [20 / 16, 40 / 16], "price_zscore": [1, 6]})
    assert_columns(PRICE_NOW, inputs, {"price_now_over_usual_price": [2, 1]})


def test_of_who_always_pays_the_same_there_is_no_zscore() -> None:
    values = {**USUAL, "customer_history:spend_std_micros": 0}
    inputs = inputs_of(Customer.from_values("c", values, ARTICLES, TODAY), ARTICLES)
    assert str(values_of(PRICE_FOR_CUSTOMER, inputs)["price_zscore"].tolist()) == "[nan, nan]"
