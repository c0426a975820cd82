"""Whether the ranker's score is the chance that it claims to be: ten candidates of .1 should bring one purchase."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from rich.table import Table

from towers.evaluation.tables import plain_table

BINS = 10


@dataclass(frozen=True)
class Calibration:
    """Candidates in the order of their score, in ``BINS`` of equal size."""

    predicted: Sequence[float]  # mean score of each bin, ascending
    observed: Sequence[float]  # share of its candidates that were bought
    count: int  # candidates in all
    expected_error: float  # mean |predicted - observed|, each bin as heavy as the others (Guo et al. 2017)

    @classmethod
    def of(cls, scores: npt.NDArray[np.float32], bought: npt.NDArray[np.bool_]) -> Calibration | None:
        """Bin all scored candidates, [m] each; None where there are fewer than ``BINS``."""
        if len(scores) < BINS:
            return None
        order = np.argsort(scores, kind="stable")
        parts = np.array_split(order, BINS)
        predicted = [float(scores[part].mean(dtype=np.float64)) for part in parts]
        observed = [float(bought[part].mean()) for part in parts]
        sizes = np.array([len(part) for part in parts])
        error = float(np.average(np.abs(np.subtract(predicted, observed)), weights=sizes))
        return cls(predicted, observed, len(scores), error)

    def as_json(self) -> dict[str, Any]:
        """Plain data, read back by ``from_json``."""
        return {
            "predicted": list(self.predicted),
            "observed": list(self.observed),
            "count": self.count,
            "expected_error": self.expected_error,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Calibration:
        """Read what ``as_json`` made."""
        return cls(content["predicted"], content["observed"], content["count"], content["expected_error"])

    def table(self) -> Table:
        """For the terminal."""
        table = plain_table(
            f"the ranker's probability, {self.count:,} candidates by decile; "
            f"expected calibration error {self.expected_error:.5f}"
        )
        table.add_column("")
        for decile in range(1, len(self.predicted) + 1):
            table.add_column(str(decile), justify="right")
        table.add_row("said", *(f"{value:.5f}" for value in self.predicted))
        table.add_row("was bought", *(f"{value:.5f}" for value in self.observed))
        return table
