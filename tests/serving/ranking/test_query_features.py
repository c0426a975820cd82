"""Every number of the query tower, each with a value of its own."""

from __future__ import annotations

from math import cos, pi, sin, sqrt

import numpy as np
import pytest

from serving.ranking.query_features import QUERY_NUMERIC, query_inputs
from serving.retrieval.customer import Customer
from tests.serving.retrieval_worlds import TODAY, bought, shop

VOCABULARIES = {"club_member_status": {"": 0}, "fashion_news_frequency": {"": 0}}
DIRECT = (
    "customer_profile:age",
    "customer_profile:fashion_news",
    "customer_profile:active",
    "customer_history:purchases",
    "customer_history:distinct_articles",
    "customer_history:active_days",
    "customer_history:mean_days_between_purchases",
    "customer_history:spend_micros",
    "customer_history:spend_mean_micros",
    "customer_history:spend_std_micros",
    "customer_history:spend_max_micros",
    "customer_history:online_share",
    "customer_activity_30d:purchases",
    "customer_activity_30d:spend_micros",
    "customer_activity_30d:distinct_articles",
    "customer_activity_30d:active_days",
    "customer_activity_30d:mean_price_micros",
    "customer_activity_30d:online_share",
)


def numeric(values: dict[str, object]) -> dict[str, float]:
    customer = Customer.from_values("c", values, shop([1]), TODAY)
    return dict(zip(QUERY_NUMERIC, query_inputs([customer], VOCABULARIES).numeric[0].tolist(), strict=True))


def test_every_number_of_the_query_tower_has_its_place() -> None:
    seen = numeric(
        {
            **bought(("0000000001", 4)),
            **{name: 100 + place for place, name in enumerate(DIRECT)},
            "customer_history:weekday_shares": [0.01, 0.02, 0.03, 0.04, 0.05, 0.06, 0.79],
            "customer_history:season_shares": [0.1, 0.2, 0.3, 0.4],
            "customer_history:first_purchase_day": TODAY - 50,
        }
    )
    expected = {
        **{name: 100 + place for place, name in enumerate(DIRECT)},
        **{f"weekday_share_{day}": 0.01 * (day + 1) for day in range(6)},
        "weekday_share_6": 0.79,
        **{f"season_share_{season}": 0.1 * (season + 1) for season in range(4)},
        "days_since_first_purchase": 50,
        "days_since_last_purchase": 4,
        "month_sin": -sqrt(3) / 2,
        "month_cos": -1 / 2,
        "weekday_sin": -sin(2 * pi / 7),
        "weekday_cos": cos(2 * pi / 7),
    }
    assert list(seen) == list(expected)
    assert seen == pytest.approx(expected, rel=1e-6)
    assert len({round(value, 6) for value in expected.values()}) == len(expected)


def test_of_a_stranger_only_the_moment_is_known() -> None:
    assert sum(np.isfinite(list(numeric({}).values()))) == 4
    joined = numeric({"customer_history:weekday_shares": float("nan")})  # as a point-in-time join gives it
    assert np.isnan(joined["weekday_share_0"])
