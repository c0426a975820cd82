"""Purchases as arrays: what the candidate sources are fitted on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class PurchaseLog:
    """Purchases dated before the day that a source is fitted for, oldest first."""

    customer: npt.NDArray[np.int32]  # [m] any dense numbering
    article: npt.NDArray[np.int32]  # [m] positions in the release's article table
    day: npt.NDArray[np.int32]  # [m] days since 1970-01-01

    def __len__(self) -> int:
        return self.article.size

    def before(self, day: int) -> PurchaseLog:
        """The purchases dated before ``day``."""
        return self._select(self.day < day)

    def since(self, day: int) -> PurchaseLog:
        """The purchases dated at ``day`` or later."""
        return self._select(self.day >= day)

    def newest(self, count: int) -> PurchaseLog:
        """The latest so many."""
        return self._select(slice(max(len(self) - count, 0), None))

    def _select(self, rows: npt.NDArray[np.bool_] | slice) -> PurchaseLog:
        return PurchaseLog(self.customer[rows], self.article[rows], self.day[rows])
