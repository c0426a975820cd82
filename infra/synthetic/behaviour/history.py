"""What each customer bought lately: the last purchases in order, as the utility's repurchase term needs them."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

KEPT: Final = 48  # a customer remembers this many purchases


class History:
    """The last ``KEPT`` purchases of every customer, oldest first, padded in front with article -1."""

    def __init__(self, customers: int) -> None:
        self._articles = np.full((customers, KEPT), -1, dtype=np.int32)
        self._days = np.zeros((customers, KEPT), dtype=np.int16)

    def add(self, customers: NDArray[np.integer], articles: NDArray[np.integer], days: NDArray[np.integer]) -> None:
        """Append purchases [n] in their order; a customer may come more than once."""
        order = np.argsort(customers, kind="stable")
        customers, articles, days = customers[order], articles[order], days[order]
        buyers, first, counts = np.unique(customers, return_index=True, return_counts=True)
        for nth in range(int(counts.max(initial=0))):
            more = counts > nth
            who, what = buyers[more], first[more] + nth
            self._articles[who, :-1] = self._articles[who, 1:]
            self._days[who, :-1] = self._days[who, 1:]
            self._articles[who, -1] = articles[what]
            self._days[who, -1] = days[what]

    def recent(self, customers: NDArray[np.integer]) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
        """Articles and days of the last purchases of ``customers`` [n, KEPT]."""
        return self._articles[customers], self._days[customers]
