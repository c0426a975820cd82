"""The shop on the morning of one day: articles and customers as they were known at 00:00, and what was then bought.

Training rows, candidates of the ranker and test cases are all read off snapshots, so that none of them can see its own
day: a snapshot is made by Feast's point-in-time join (``point_in_time.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.customer import Customer
from towers.data.targets import Targets


@dataclass(frozen=True)
class Snapshot:
    """One day. Its customers are some or all of those who bought on it."""

    day: int  # days since 1970-01-01
    articles: ArticleTable  # sales and activity as of 00:00
    customers: Sequence[Customer]  # as of 00:00
    targets: Targets  # what each of them bought on the day

    @property
    def warm(self) -> npt.NDArray[np.bool_]:
        """Which customers had bought anything before the day, [customers]."""
        return np.fromiter((customer.has_history for customer in self.customers), np.bool_, len(self.customers))

    def take(self, cases: npt.NDArray[np.int64]) -> Snapshot:
        """The same day with some of the customers."""
        return Snapshot(
            self.day, self.articles, [self.customers[case] for case in cases], self.targets.take(np.asarray(cases))
        )
