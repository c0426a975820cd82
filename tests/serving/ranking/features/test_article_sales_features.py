"""Two articles of which every number is another."""

from __future__ import annotations

from serving.ranking.features.article_sales import ARTICLE_SALES
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import NAN, assert_columns, inputs_of, set_columns
from tests.serving.retrieval_worlds import TODAY, shop

ARTICLES = set_columns(
    shop([0, 0]),
    sales_units=[50, 60],
    sales_distinct_customers=[40, 45],
    sales_price_mean_micros=[20_000, 30_000],
    sales_price_std_micros=[2_000, 3_000],
    sales_mean_buyer_age=[28, 41],
    sales_repeat_rate=[0.1, 0.2],
    sales_first_sale_day=[TODAY - 90, TODAY - 80],
    sales_last_sale_day=[TODAY - 9, TODAY - 31],
    activity_units=[12, NAN],
    activity_distinct_customers=[11, NAN],
    activity_units_7d=[7, NAN],
    activity_units_3d=[3, NAN],
    activity_trend=[1.5, NAN],
    activity_mean_price_micros=[19_000, NAN],
    activity_last_sale_day=[TODAY - 1, NAN],
)


def test_sales_are_given_as_they_are_and_days_from_today() -> None:
    assert_columns(
        ARTICLE_SALES,
        inputs_of(Customer.from_values("c", {"customer_profile:age": 30}, ARTICLES, TODAY), ARTICLES),
        {
            "age_over_buyers_age": [2, -11],
            "days_since_article_first_sold": [90, 80],
            "days_since_article_last_sold": [1, 31],
            "article_units": [50, 60],
            "article_distinct_customers": [40, 45],
            "article_price_mean_micros": [20_000, 30_000],
            "article_price_std_micros": [2_000, 3_000],
            "article_mean_buyer_age": [28, 41],
            "article_repeat_rate": [0.1, 0.2],
            "article_30d_units": [12, NAN],
            "article_30d_distinct_customers": [11, NAN],
            "article_30d_units_7d": [7, NAN],
            "article_30d_units_3d": [3, NAN],
            "article_30d_trend": [1.5, NAN],
            "article_30d_mean_price_micros": [19_000, NAN],
        },
    )
