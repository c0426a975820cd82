"""What one evaluation found, as it is shown, written and kept in a release."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from infra.base.figures import Figure, keep_others, write_figures
from towers.evaluation.bootstrap import Interval
from towers.evaluation.calibration import Calibration
from towers.evaluation.comparison import HERO, Cells
from towers.evaluation.served.answers import Agreement
from towers.evaluation.slices import MAIN
from towers.evaluation.source_shares import source_table
from towers.evaluation.tables import ORACLE, main_table, markdown, plain_table, slice_table

SHARE_OF = "ndcg_at_10"
"""The metric whose share of the oracle's is reported."""
PEER = "popularity"
HEADLINE_METRICS = ("map_at_12", "ndcg_at_10", "recall_at_100")
_SLICE_ROWS = ("popularity", "bought again", "same product", "bm25", "two towers", "lightgbm", HERO)
_TERMINAL_WIDTH = 170


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

    def as_json(self) -> dict[str, Any]:
        """Plain data, read back by ``from_json``."""
        return {
            "day": self.day,
            "sizes": {part: list(size) for part, size in self.sizes.items()},
            "cells": _plain(self.cells),
            "lead": _plain(self.lead),
            "candidates": self.candidates,
            "sources": self.sources,
            "variety": self.variety,
            "curves": self.curves,
            "calibration": self.calibration.as_json() if self.calibration else None,
            "agreement": self.agreement.as_json() if self.agreement else None,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> Evaluation:
        """Read what ``as_json`` made."""
        return cls(
            content["day"],
            {part: (title, count) for part, (title, count) in content["sizes"].items()},
            _intervals(content["cells"]),
            _intervals(content["lead"]),
            content["candidates"],
            content["sources"],
            content["variety"],
            content["curves"],
            Calibration.from_json(content["calibration"]) if content["calibration"] else None,
            Agreement(**content["agreement"]) if content["agreement"] else None,
        )

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

    def show_main(self, console: Console) -> None:
        """Print how good it is for customers with and without history."""
        console = _wide(console)
        console.print(f"Purchases of {self.day}, to be found from what was known that morning; ± is of 95 %")
        for part in ("warm", "cold", "all"):
            if part in self.cells:
                console.print(main_table(part, self.cells, {}, self.sizes))
                console.print(self._candidates_line(part))

    def show(self, console: Console) -> None:
        """Print all tables."""
        console = _wide(console)
        console.print(
            f"Purchases of {self.day}, to be found from what was known that morning. ± is half the range of 95 %; "
            f"what {HERO} is ahead by is paired over customers, dim where zero is within its range."
        )
        for part in [part for part in MAIN if part in self.cells]:
            console.print(main_table(part, self.cells, self.lead, self.sizes))
            console.print(self._candidates_line(part))
        others = [part for part in self.cells if part not in MAIN]
        rows = [row for row in _SLICE_ROWS if row in self.cells["all"]]
        if others:
            for metric in ("map_at_12", "recall_at_100"):
                console.print(slice_table(others, rows, metric, self.cells, self.sizes))
        for part, worth in self.sources.items():
            console.print(source_table(part, worth))
        console.print(self._variety_table())
        if self.calibration:
            console.print(self.calibration.table())
        if self.agreement:
            console.print(self.agreement.line())

    def as_markdown(self) -> str:
        """The tables as a page."""
        lines = [f"## Purchases of {self.day}", "", markdown(self.cells, self.lead, self.sizes)]
        lines += ["### Candidates", ""] + [f"- {self._candidates_line(part)}" for part in self.candidates] + [""]
        for part, worth in self.sources.items():
            lines += [
                f"### Candidate sources, {part}",
                "",
                "| | recall | marginal recall | share of hits | only source |",
            ]
            lines += ["|---|---:|---:|---:|---:|"]
            lines += [
                f"| {name} | " + " | ".join(f"{v:.4f}" for v in row.values()) + " |" for name, row in worth.items()
            ]
            lines.append("")
        for part, rows in self.variety.items():
            lines += [f"### Variety, {part}", "", "| | coverage | novelty, bits | diversity |", "|---|---:|---:|---:|"]
            lines += [
                f"| {name} | " + " | ".join(f"{v:.4f}" for v in row.values()) + " |" for name, row in rows.items()
            ]
            lines.append("")
        if self.agreement:
            lines += [self.agreement.line(), ""]
        if self.calibration:
            lines += [f"### Calibration, error {self.calibration.expected_error:.5f}", "", "| said | was bought |"]
            lines += ["|---:|---:|"]
            pairs = zip(self.calibration.predicted, self.calibration.observed, strict=True)
            lines += [f"| {said:.5f} | {was:.5f} |" for said, was in pairs] + [""]
        return "\n".join(lines)

    def figures(self, split: str) -> dict[str, Figure]:
        """``<split>.<slice>.<row>.<metric>`` -> figure; metrics have popularity of the same run as their peer."""
        result: dict[str, Figure] = {}
        for part, rows in self.cells.items():
            for row, cells in rows.items():
                for metric, cell in cells.items():
                    peer = PEER if row != PEER and PEER in rows else None
                    value = rows[PEER][metric].mean if peer else None
                    name = _figure_name(split, part, row, metric)
                    result[name] = Figure(cell.mean, "share", peer, value, (cell.low, cell.high))
            for row, cells in self.lead.get(part, {}).items():
                for metric, cell in cells.items():
                    name = _figure_name(split, part, f"{HERO}_minus_{row}", metric)
                    result[name] = Figure(cell.mean, "difference", interval=(cell.low, cell.high))
            share = self.achievable_share(part) if HERO in rows else None
            if share is not None:
                result[_figure_name(split, part, HERO, f"share_of_oracle_{SHARE_OF}")] = Figure(share, "share")
            result[_figure_name(split, part, "customers", "count")] = Figure(self.sizes[part][1], "cases")
        for part, candidates in self.candidates.items():
            result[_figure_name(split, part, "candidates", "recall")] = Figure(candidates["recall"], "share")
            result[_figure_name(split, part, "candidates", "count")] = Figure(candidates["count"], "articles")
        for part, sources in self.sources.items():
            for source, worth in sources.items():
                for metric, value in worth.items():
                    result[_figure_name(split, part, f"source_{source}", metric)] = Figure(value, "share")
        for part, rows_variety in self.variety.items():
            for row, values in rows_variety.items():
                for metric, value in values.items():
                    unit = "bits" if metric.endswith("bits") else "share"
                    result[_figure_name(split, part, row, metric)] = Figure(value, unit)
        if self.calibration:
            error = Figure(self.calibration.expected_error, "probability")
            result[_figure_name(split, "warm", HERO, "expected_calibration_error")] = error
        if self.agreement:
            for metric, value in self.agreement.as_json().items():
                result[_figure_name(split, "all", "served", metric)] = Figure(value, "share", "evaluated", 1.0)
        return result

    def write(self, reports_dir: Path, split: str = "test") -> list[Path]:
        """Write the tables as a page, all figures into ``quality.json`` and the pictures; return the paths.

        Figures of other splits that were measured at the same commit stay in the file.
        """
        from towers.reports.calibration_plot import calibration_plot
        from towers.reports.precision_recall import precision_recall

        suffix = "" if split == "test" else f"_{split}"
        page = reports_dir / f"quality{suffix}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(self.as_markdown())
        others = keep_others(reports_dir, "quality", f"{split}.")
        written = [page, write_figures(reports_dir, "quality", self.figures(split), others)]
        written.append(
            precision_recall(self.curves, self.sizes, reports_dir / f"precision_recall{suffix}.png", self.day)
        )
        if self.calibration:
            written.append(calibration_plot(self.calibration, reports_dir / f"calibration{suffix}.png", self.day))
        return written

    def _candidates_line(self, part: str) -> str:
        values = self.candidates[part]
        line = f"{part}: {values['recall']:.4f} of the targets are among {values['count']:.0f} candidates a customer"
        share = self.achievable_share(part)
        return line + (f"; {share:.0%} of the oracle's {SHARE_OF}" if share is not None else "")

    def _variety_table(self) -> Table:
        table = plain_table("variety of the first 12")
        table.add_column("", no_wrap=True)
        parts = list(self.variety)
        for part in parts:
            for column in ("coverage", "novelty, bits", "diversity"):
                table.add_column(f"{part}: {column}", justify="right")
        for row in self.variety[parts[0]] if parts else ():
            table.add_row(row, *(f"{value:.4f}" for part in parts for value in self.variety[part][row].values()))
        return table


def _wide(console: Console) -> Console:
    """A log file is not 80 columns wide."""
    return console if console.is_terminal else Console(width=max(console.width, _TERMINAL_WIDTH))


def _figure_name(split: str, part: str, row: str, metric: str) -> str:
    return f"{split}.{part}.{row.replace(' ', '_').replace('-', '_')}.{metric}"


def _plain(cells: Cells) -> dict[str, Any]:
    return {
        part: {row: {metric: cell.as_json() for metric, cell in values.items()} for row, values in rows.items()}
        for part, rows in cells.items()
    }


def _intervals(content: Mapping[str, Any]) -> Cells:
    return {
        part: {row: {metric: Interval(*cell) for metric, cell in values.items()} for row, values in rows.items()}
        for part, rows in content.items()
    }
