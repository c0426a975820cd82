"""A customer of whom every number is another."""

from __future__ import annotations

import numpy as np

from serving.ranking.features.customers import CUSTOMER
from serving.ranking.ranking_inputs import NEVER_DAYS
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import assert_columns, inputs_of, values_of
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = shop([0])


def test_the_customers_own_numbers_are_the_same_for_every_candidate() -> None:
    values = {
        **bought(("0000000001", 4)),
        "customer_profile:age": 30,
        "customer_history:purchases": 21,
        "customer_history:distinct_articles": 20,
        "customer_history:active_days": 9,
        "customer_history:mean_days_between_purchases": 7.5,
        "customer_history:spend_mean_micros": 25_000,
        "customer_history:spend_std_micros": 6_000,
        "customer_history:online_share": 0.75,
        "customer_activity_30d:purchases": 3,
        "customer_activity_30d:distinct_articles": 2,
        "customer_activity_30d:active_days": 1,
        "customer_activity_30d:mean_price_micros": 24_000,
    }
    assert_columns(
        CUSTOMER,
        inputs_of(Customer.from_values("c", values, ARTICLES, TODAY), ARTICLES),
        {
            "days_since_last_purchase": [4],
            "profile_age": [30],
            "history_purchases": [21],
            "history_distinct_articles": [20],
            "history_active_days": [9],
            "history_mean_days_between_purchases": [7.5],
            "history_spend_mean_micros": [25_000],
            "history_spend_std_micros": [6_000],
            "history_online_share": [0.75],
            "activity_30d_purchases": [3],
            "activity_30d_distinct_articles": [2],
            "activity_30d_active_days": [1],
            "activity_30d_mean_price_micros": [24_000],
        },
    )


def test_a_stranger_never_bought_and_has_no_numbers() -> None:
    values = values_of(CUSTOMER, inputs_of(Customer.from_values("c", {}, ARTICLES, TODAY), ARTICLES))
    assert values.pop("days_since_last_purchase") == NEVER_DAYS
    assert np.isnan(list(values.values())).all()
