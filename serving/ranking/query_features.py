"""The query tower's inputs: names, order and how they are read from a customer. Gateway and training call this."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup, FeatureTable
from serving.ranking.features.moment import MOMENT_COLUMNS, Moment
from serving.retrieval.customer import RECENT_PURCHASES, Customer

_DIRECT = (
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


def _number(reference: str) -> Callable[[Customer], Column]:
    return lambda customer: customer.number(reference)


def _shares(reference: str) -> Callable[[Customer], Sequence[float] | None]:
    def shares(customer: Customer) -> Sequence[float] | None:
        value = customer.values.get(reference)
        # A point-in-time join gives NaN for a missing list.
        return None if isinstance(value, float) else value

    return shares


def _days_since_last_purchase(customer: Customer) -> Column:
    # A purchase of today counts as yesterday's: training, which sees whole days, knows nothing younger.
    return max(1, customer.today - int(customer.recent_day[0])) if customer.recent.size else math.nan


_NUMERIC = FeatureTable[Customer](
    (
        FeatureGroup(lambda customer: customer, {reference: _number(reference) for reference in _DIRECT}),
        FeatureGroup(
            _shares("customer_history:weekday_shares"), {f"weekday_share_{day}": itemgetter(day) for day in range(7)}
        ),
        FeatureGroup(
            _shares("customer_history:season_shares"),
            {f"season_share_{season}": itemgetter(season) for season in range(4)},
        ),
        FeatureGroup(
            lambda customer: customer,
            {
                "days_since_first_purchase": lambda customer: (
                    customer.today - customer.number("customer_history:first_purchase_day")
                ),
                "days_since_last_purchase": _days_since_last_purchase,
            },
        ),
        FeatureGroup(lambda customer: Moment.of(customer.today), MOMENT_COLUMNS),
    )
)
QUERY_NUMERIC = _NUMERIC.names
QUERY_CATEGORIES = ("club_member_status", "fashion_news_frequency")

CUSTOMER_REFERENCES: tuple[str, ...] = (
    *_DIRECT,
    "customer_profile:club_member_status",
    "customer_profile:fashion_news_frequency",
    "customer_history:first_purchase_day",
    "customer_history:last_purchase_day",
    "customer_history:weekday_shares",
    "customer_history:season_shares",
    "customer_history:articles",
    "customer_history:article_times",
    "customer_history:article_last_days",
    "customer_activity_30d:last_purchase_at",
    "customer_activity_30d:articles",
    "customer_activity_30d:articles_at",
)
"""Every customer feature that a model or a candidate source reads: Feast's feature service ``towers`` has these."""


@dataclass(frozen=True)
class QueryInputs:
    """Packed inputs of the query tower for a batch of customers."""

    numeric: npt.NDArray[np.float32]  # [batch, len(QUERY_NUMERIC)], NaN = missing
    categories: npt.NDArray[np.int32]  # [batch, len(QUERY_CATEGORIES)], 0 = unknown
    recent: npt.NDArray[np.int32]  # [batch, RECENT_PURCHASES] positions, newest first, -1 = none
    recent_age_days: npt.NDArray[np.float32]  # [batch, RECENT_PURCHASES], 0 where none

    def tensors(self) -> dict[str, npt.NDArray]:
        """By the names of the SavedModel's signature."""
        return {
            "numeric": self.numeric,
            "categories": self.categories,
            "recent": self.recent,
            "recent_age_days": self.recent_age_days,
        }


def query_inputs(customers: Sequence[Customer], vocabularies: Mapping[str, Mapping[str, int]]) -> QueryInputs:
    """Pack the inputs of a batch of customers.

    Args:
        vocabularies: for each of QUERY_CATEGORIES, value -> index; unknown values get 0.
    """
    batch = len(customers)
    inputs = QueryInputs(
        numeric=np.empty((batch, len(QUERY_NUMERIC)), np.float32),
        categories=np.zeros((batch, len(QUERY_CATEGORIES)), np.int32),
        recent=np.full((batch, RECENT_PURCHASES), -1, np.int32),
        recent_age_days=np.zeros((batch, RECENT_PURCHASES), np.float32),
    )
    for row, customer in enumerate(customers):
        inputs.numeric[row] = _NUMERIC.compute(customer)
        for column, name in enumerate(QUERY_CATEGORIES):
            value = customer.values.get(f"customer_profile:{name}")
            inputs.categories[row, column] = vocabularies[name].get(value, 0) if isinstance(value, str) else 0
        recent = customer.recent.size
        inputs.recent[row, :recent] = customer.recent
        inputs.recent_age_days[row, :recent] = np.maximum(customer.today - customer.recent_day, 0)
    return inputs
