"""The customer alone: the same for all candidates, for the ranker to weigh the other columns by."""

from __future__ import annotations

from collections.abc import Callable

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import NEVER_DAYS, RankingInputs
from serving.retrieval.customer import Customer

_REFERENCES = (
    "customer_profile:age",
    "customer_history:purchases",
    "customer_history:distinct_articles",
    "customer_history:active_days",
    "customer_history:mean_days_between_purchases",
    "customer_history:spend_mean_micros",
    "customer_history:spend_std_micros",
    "customer_history:online_share",
    "customer_activity_30d:purchases",
    "customer_activity_30d:distinct_articles",
    "customer_activity_30d:active_days",
    "customer_activity_30d:mean_price_micros",
)


def _days_since_last_purchase(customer: Customer) -> Column:
    # As in the query tower: a purchase of today counts as yesterday's, the youngest that training knows.
    return max(1, customer.today - int(customer.bought_last_day[0])) if customer.has_history else NEVER_DAYS


def _number(reference: str) -> Callable[[Customer], Column]:
    return lambda customer: customer.number(reference)


CUSTOMER = FeatureGroup[RankingInputs, Customer](
    lambda inputs: inputs.customer,
    {
        "days_since_last_purchase": _days_since_last_purchase,
        **{reference.removeprefix("customer_").replace(":", "_"): _number(reference) for reference in _REFERENCES},
    },
)
