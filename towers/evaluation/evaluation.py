"""What one evaluation found; how it is shown, written and kept is ``report``'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from towers.evaluation.calibration import Calibration
from towers.evaluation.comparison import HERO, Cells
from towers.evaluation.known_best import ORACLE
from towers.evaluation.served.answers import Agreement
from towers.evaluation.slices import MAIN

SHARE_OF = "ndcg_at_10"
"""The metric whose share of the oracle's is reported."""
PEER = "popularity"
HEADLINE_METRICS = ("map_at_12", "ndcg_at_10", "recall_at_100")


@dataclass(frozen=True)
class Evaluation:
    """What ``metrics.json`` of a release holds."""

    day: str  # ISO date of the purchases that were to be found
    sizes: Mapping[str, tuple[str, int]]  # slice -> what it is, number of cases
    cells: Cells  # slice -> row -> metric -> mean with its interval
    lead: Cells  # slice -> row -> metric -> how far Vitrine is ahead of it
    candidates: Mapping[str, Mapping[str, float]]  # slice -> recall of all candidates, and their mean number
    sources: Mapping[str, Mapping[str, Mapping[str, float]]]  # slice -> source -> its worth
    variety: Mapping[str, Mapping[str, Mapping[str, float]]]  # slice -> row -> coverage, novelty, diversity
    curves: Mapping[str, Mapping[str, list[list[float]]]]  # slice -> row -> [precision, recall] at growing cuts
    calibration: Calibration | None
    agreement: Agreement | None = None  # of what the gateway answered with what was evaluated

    @property
    def table(self) -> dict[str, dict[str, dict[str, float]]]:
        """slice -> row -> metric -> mean."""
        return {
            part: {row: {metric: cell.mean for metric, cell in cells.items()} for row, cells in rows.items()}
            for part, rows in self.cells.items()
        }

    def headline(self) -> dict[str, float]:
        """``<slice>.<row>.<metric>`` of the rows and metrics that judge a release."""
        return {
            f"{part}.{row}.{metric}": rows[row][metric].mean
            for part, rows in self.cells.items()
            if part in MAIN
            for row in (PEER, HERO)
            if row in rows
            for metric in HEADLINE_METRICS
        }

    def achievable_share(self, part: str) -> float | None:
        """Vitrine's share of the oracle's NDCG@10 in a slice; None where either is empty or finds nothing."""
        rows = self.cells.get(part, {})
        best = rows[ORACLE][SHARE_OF].mean if ORACLE in rows else 0.0
        return rows[HERO][SHARE_OF].mean / best if best else None
