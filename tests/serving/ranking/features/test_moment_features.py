"""One day whose angles are known."""

from __future__ import annotations

from math import cos, pi, sin, sqrt

from serving.ranking.features.moment import MOMENT
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import assert_columns, inputs_of
from tests.serving.retrieval_worlds import TODAY, shop

ARTICLES = shop([0])


def test_a_sunday_in_september_is_two_thirds_through_the_year_and_next_to_monday() -> None:
    customer = Customer.from_values("c", {}, ARTICLES, TODAY)
    assert_columns(
        MOMENT,
        inputs_of(customer, ARTICLES),
        {
            "month_sin": [-sqrt(3) / 2],
            "month_cos": [-1 / 2],
            "weekday_sin": [-sin(2 * pi / 7)],
            "weekday_cos": [cos(2 * pi / 7)],
        },
    )
