"""The best that anybody could do: known where a shop was drawn, and handed in by whoever drew it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Protocol

import numpy as np
import numpy.typing as npt

OBSERVER, ORACLE = BEST_POSSIBLE = ("observer", "oracle")
"""Rows of a synthetic shop that no model is expected to reach: what purchases allow at best, and the truth."""


class KnownBest(Protocol):
    """Ranks by what no recommender can see."""

    def rank(self, customer_ids: Sequence[str], day: date, k: int) -> Sequence[npt.NDArray[np.str_]]:
        """The ``k`` best article ids for each customer on ``day``, best first."""


KnownBestRows = Mapping[str, Callable[[], KnownBest]]
"""Row of the comparison -> opens what ranks it; opening takes seconds, so it is put off until it is asked."""
