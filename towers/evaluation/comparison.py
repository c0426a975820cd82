"""One table of all rows and slices: for the terminal, for a page in Markdown and as figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rich.table import Table

from infra.figures import Figure
from towers.evaluation.metrics import METRICS, Targets, measure

SHOWN = (
    "map_at_12",
    "ndcg_at_10",
    "precision_at_10",
    "recall_at_10",
    "recall_at_12",
    "ndcg_at_20",
    "precision_at_20",
    "recall_at_20",
    "recall_at_100",
)
PEER = "popularity"


@dataclass(frozen=True)
class Comparison:
    """Metrics of several rankings on the same cases."""

    day: str  # ISO date of the purchases that were to be found
    slices: Mapping[str, npt.NDArray[np.bool_]]  # name -> [cases]
    rows: Mapping[str, Mapping[str, npt.NDArray[np.float64]]]  # row -> metric -> [cases]

    @classmethod
    def of(
        cls,
        day: str,
        rankings: Mapping[str, npt.NDArray[np.int32]],
        targets: Targets,
        slices: Mapping[str, npt.NDArray[np.bool_]],
    ) -> Comparison:
        """Measure rankings, row -> [cases, depth]."""
        return cls(day, slices, {row: measure(ranked, targets) for row, ranked in rankings.items()})

    def mean(self, row: str, part: str, metric: str) -> float:
        """A cell of the table; NaN for an empty slice."""
        values = self.rows[row][metric][self.slices[part]]
        return float(values.mean()) if len(values) else float("nan")

    def as_json(self) -> dict[str, dict[str, dict[str, float]]]:
        """slice -> row -> metric -> value, without empty slices."""
        return {
            part: {row: {metric: self.mean(row, part, metric) for metric in METRICS} for row in self.rows}
            for part, chosen in self.slices.items()
            if chosen.any()
        }


def tables(content: Mapping[str, Mapping[str, Mapping[str, float]]], sizes: Mapping[str, int]) -> list[Table]:
    """For the terminal, one table a slice.

    Args:
        content: from ``Comparison.as_json``, or read back from a release's ``metrics.json``.
        sizes: customers in each slice.
    """
    result = []
    for part, rows in content.items():
        table = Table(title=f"{part} customers ({sizes[part]:,})", title_justify="left")
        table.add_column("", no_wrap=True)
        for metric in SHOWN:
            table.add_column(_heading(metric), justify="right", no_wrap=True)
        best = {metric: max(values[metric] for name, values in rows.items() if name != "oracle") for metric in SHOWN}
        for row, values in rows.items():
            cells = [_cell(values[metric], bold=row != "oracle" and values[metric] == best[metric]) for metric in SHOWN]
            table.add_row(row, *cells)
        result.append(table)
    return result


def markdown(content: Mapping[str, Mapping[str, Mapping[str, float]]], sizes: Mapping[str, int]) -> str:
    """The same tables as a page."""
    lines: list[str] = []
    for part, rows in content.items():
        lines += [f"### {part} customers ({sizes[part]:,})", "", "| | " + " | ".join(map(_heading, SHOWN)) + " |"]
        lines += ["|---|" + "---:|" * len(SHOWN)]
        lines += [f"| {row} | " + " | ".join(f"{values[m]:.4f}" for m in SHOWN) + " |" for row, values in rows.items()]
        lines.append("")
    return "\n".join(lines)


def figures(split: str, content: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, Figure]:
    """``<split>.<slice>.<row>.<metric>`` -> figure, with popularity of the same run as the peer."""
    result: dict[str, Figure] = {}
    for part, rows in content.items():
        for row, values in rows.items():
            for metric, value in values.items():
                peer = PEER if row != PEER and PEER in rows else None
                name = f"{split}.{part}.{row.replace(' ', '_')}.{metric}"
                result[name] = Figure(value, "share", peer, rows[PEER][metric] if peer else None)
    return result


def _heading(metric: str) -> str:
    name, cut = metric.split("_at_")
    return f"{ {'map': 'MAP', 'ndcg': 'NDCG', 'precision': 'P', 'recall': 'R'}[name] }@{cut}"


def _cell(value: float, bold: bool) -> str:
    return f"[bold]{value:.4f}[/bold]" if bold else f"{value:.4f}"
