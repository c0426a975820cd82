"""Ranking features by kind of article: what goes with what was bought, what is bought again, what its kind sells now.

Numbers here hold from shop to shop and from day to day: ratios, shares and logarithms instead of counts.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.retrieval.affinities import LIFT_CATEGORIES
from serving.retrieval.articles import ArticleTable
from serving.retrieval.candidates import ABSENT, CandidateSet
from serving.retrieval.customer import Customer

HISTORY_LENGTH = 20
"""Articles of the customer that are looked at, the newest."""
HALF_LIFE_DAYS = 14.0
NEVER_DAYS_OF_DEPARTMENT = 100.0
"""Stands for "never" among the newest articles, where a department is hardly older."""
ABSENT_RANK = 1_000
"""The rank that stands for no rank, behind any quota."""
SMOOTHING = 0.3
DEPARTMENT_SMOOTHING = 5.0

KIND_FEATURES = (
    *(f"lift_{category}" for category in LIFT_CATEGORIES),
    *(f"last_basket_lift_{category}" for category in LIFT_CATEGORIES),
    "rebuy_rate",
    "product_rebuy_rate",
    "rebuy_chance",
    "kinds_rebuy_odds",
    "visit_rebuy_chance",
    "share_of_shop",
    "share_of_department",
    "department_share_of_shop",
    "share_of_month",
    "product_units_3d",
    "best_rank",
    "reciprocal_ranks",
    "days_since_department",
    "department_in_last_basket",
    "last_basket",
    "in_last_basket",
    "product_in_last_basket",
    "colour_share",
    "type_share",
    "price_over_last",
)


def kind_features(customer: Customer, candidates: CandidateSet, articles: ArticleTable) -> list[npt.NDArray]:
    """The columns KIND_FEATURES of one customer's candidates, [m] each, NaN where missing."""
    positions, history = candidates.positions, _History.of(customer)
    return [
        *_lifts(positions, history, articles),
        *_rebuys(positions, history, articles),
        *_sales(positions, articles),
        *_ranks(candidates),
        *_last_basket(positions, history, articles),
    ]


class _History(NamedTuple):
    """What a customer bought, the newest HISTORY_LENGTH articles."""

    bought: npt.NDArray[np.int32]  # [k] positions, newest first
    age_days: npt.NDArray[np.int32]  # [k]
    in_last: npt.NDArray[np.bool_]  # [k] bought on the day of the last purchase

    @classmethod
    def of(cls, customer: Customer) -> _History:
        # As everywhere: a purchase of today counts as yesterday's, the youngest that training knows.
        age_days = np.maximum(customer.today - customer.bought_last_day[:HISTORY_LENGTH], 1)
        in_last = age_days == age_days.min(initial=np.iinfo(np.int32).max)
        return cls(customer.bought[:HISTORY_LENGTH], age_days, in_last)


def _lifts(positions: npt.NDArray[np.int32], history: _History, articles: ArticleTable) -> list[npt.NDArray]:
    """log of how much likelier than usual the candidate's kind is after what was bought: all of it, the last basket."""
    affinities, (bought, age_days, in_last) = articles.affinities, history
    if affinities is None or bought.size == 0:
        return [np.full(positions.size, np.nan)] * (2 * len(LIFT_CATEGORIES))
    faded = np.exp2(-age_days / HALF_LIFE_DAYS)
    columns = []
    for weights in (faded / faded.sum(), in_last / in_last.sum()):
        for category in LIFT_CATEGORIES:
            codes = articles.category(category)
            lift = weights @ affinities.lifts[category][codes[bought]]
            columns.append(np.log(lift[codes[positions]]))
    return columns


def _rebuys(positions: npt.NDArray[np.int32], history: _History, articles: ArticleTable) -> list[npt.NDArray]:
    """log of how often the article and its product are bought again, and the chance now that the customer has it.

    Then the odds on a visit by what kind of article it is, and the log of its chance (``RebuyOdds``).
    """
    affinities = articles.affinities
    if affinities is None:
        return [np.full(positions.size, np.nan)] * 5
    rate = affinities.rebuy_rate[positions].astype(np.float64)
    product_rate = affinities.product_rebuy_rate[positions].astype(np.float64)
    freshness = np.exp2(-history.age_days.min(initial=1_000) / 2.0)
    chance = rate * np.isin(positions, history.bought) * freshness
    odds = affinities.rebuy_odds
    return [np.log(rate + 1e-6), np.log(product_rate + 1e-6), chance, odds.kinds[positions], odds.chance[positions]]


def _sales(positions: npt.NDArray[np.int32], articles: ArticleTable) -> list[npt.NDArray]:
    totals = articles.totals_3d
    units = np.nan_to_num(articles.activity_column("units_3d")[positions])
    month = np.nan_to_num(articles.activity_column("units")[positions])
    department = totals.by_department[articles.category("department_name")[positions]]
    return [
        np.log((units + SMOOTHING) / (totals.shop + 1.0)),
        units / (department + DEPARTMENT_SMOOTHING),
        department / max(totals.shop, 1.0),
        (units + SMOOTHING) / (month + 1.0),
        totals.by_product[articles.product[positions]],
    ]


def _ranks(candidates: CandidateSet) -> list[npt.NDArray]:
    ranks = np.where(candidates.ranks == ABSENT, ABSENT_RANK, candidates.ranks)
    return [ranks.min(axis=1, initial=ABSENT_RANK), (1.0 / (ranks + 10.0)).sum(axis=1)]


def _last_basket(positions: npt.NDArray[np.int32], history: _History, articles: ArticleTable) -> list[npt.NDArray]:
    size, (bought, age_days, in_last) = positions.size, history
    if bought.size == 0:
        none = np.zeros(size)
        return [np.full(size, NEVER_DAYS_OF_DEPARTMENT), none, none, none, none, none, none, np.full(size, np.nan)]
    department, product = articles.category("department_name"), articles.product
    colour, kind = articles.category("colour_group_name"), articles.category("product_type_name")
    same_department = department[positions][:, None] == department[bought]
    price, sold = articles.activity_column("mean_price_micros"), articles.sales_column("price_mean_micros")
    last_price = price[bought[0]] if price[bought[0]] > 0 else sold[bought[0]]
    return [
        np.where(same_department, age_days, NEVER_DAYS_OF_DEPARTMENT).min(axis=1),
        (same_department & in_last).sum(axis=1),
        np.full(size, in_last.sum()),
        np.isin(positions, bought[in_last]),
        np.isin(product[positions], product[bought[in_last]]),
        (colour[positions][:, None] == colour[bought]).mean(axis=1),
        (kind[positions][:, None] == kind[bought]).mean(axis=1),
        relative_price(np.where(np.isnan(price[positions]), sold[positions], price[positions]), last_price),
    ]


def relative_price(price: npt.NDArray[np.float32], to: npt.NDArray[np.float32] | np.float32) -> npt.NDArray[np.float32]:
    """How many times as dear, [m]; missing beside a price that is not known or was none: a gift's."""
    times: npt.NDArray[np.float32] = np.divide(price, to, out=np.full_like(price, np.nan), where=to > 0)
    return times
