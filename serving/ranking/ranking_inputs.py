"""What the ranker's feature groups read: one customer, the candidates, and lookups that several groups share."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ACTIVITY_COLUMNS, SALES_COLUMNS, ArticleTable
from serving.retrieval.candidates import ABSENT, CandidateSet
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex

NEVER_DAYS = 1_000.0
"""Stands for "never" in days since something, older than any window that matters."""
ABSENT_RANK = 1_000
"""The rank that stands for no rank, behind any quota."""
HISTORY_LENGTH = 20
"""Articles of the customer that count as the newest."""
SALES_SMOOTHING = 0.3
"""Units added to those of the last 3 days, for a logarithm to exist."""


class NewestPurchases(NamedTuple):
    """What a customer bought, the newest HISTORY_LENGTH articles."""

    articles: npt.NDArray[np.int32]  # [k] positions, newest first
    age_days: npt.NDArray[np.int32]  # [k]
    in_last: npt.NDArray[np.bool_]  # [k] bought on the day of the last purchase


@dataclass(frozen=True)
class RankingInputs:
    """One customer's candidates, m of them, and the release they come from."""

    customer: Customer
    candidates: CandidateSet
    articles: ArticleTable
    index: ItemIndex
    query_embedding: npt.NDArray[np.float32] | None  # [d], None where the query tower did not answer

    @property
    def positions(self) -> npt.NDArray[np.int32]:
        """The candidates, [m]."""
        return self.candidates.positions

    @cached_property
    def ranks(self) -> npt.NDArray[np.int32]:
        """By source, ABSENT_RANK where it did not propose the candidate, [m, sources]."""
        return np.where(self.candidates.ranks == ABSENT, np.int32(ABSENT_RANK), self.candidates.ranks)

    @cached_property
    def sales(self) -> dict[str, npt.NDArray[np.float32]]:
        """Columns of ``article_sales``, [m] each."""
        return dict(zip(SALES_COLUMNS, self.articles.sales[self.positions].T, strict=True))

    @cached_property
    def activity(self) -> dict[str, npt.NDArray[np.float32]]:
        """Columns of ``article_activity_30d``, live, [m] each."""
        return dict(zip(ACTIVITY_COLUMNS, self.articles.activity[self.positions].T, strict=True))

    @cached_property
    def units_3d(self) -> npt.NDArray[np.float32]:
        """Units sold in the last 3 days, live, [m]."""
        return np.nan_to_num(self.activity["units_3d"])

    @cached_property
    def price(self) -> npt.NDArray[np.float32]:
        """Mean price in millionths: of the last 30 days, of all time where nothing was sold in them, [m]."""
        recent = self.activity["mean_price_micros"]
        return np.where(np.isnan(recent), self.sales["price_mean_micros"], recent)

    @cached_property
    def newest(self) -> NewestPurchases:
        """The customer's newest articles."""
        # A purchase of today counts as yesterday's, the youngest that training knows.
        age_days = np.maximum(self.customer.today - self.customer.bought_last_day[:HISTORY_LENGTH], 1)
        in_last = age_days == age_days.min(initial=np.iinfo(np.int32).max)
        return NewestPurchases(self.customer.bought[:HISTORY_LENGTH], age_days, in_last)


def days_since(
    same: npt.NDArray[np.bool_], age_days: npt.NDArray[np.int32], never: float
) -> npt.NDArray[np.float64] | float:
    """Days since the newest purchase that a candidate matches, [m].

    Args:
        same: which purchases each candidate matches, [m, k].
        age_days: of the purchases, [k].
        never: stands for no match.
    """
    days: npt.NDArray[np.float64] | float = np.where(same, age_days, never).min(axis=1) if age_days.size else never
    return days
