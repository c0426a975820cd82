"""An evaluation on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from towers.evaluation.bootstrap import Interval
from towers.evaluation.calibration import Calibration
from towers.evaluation.comparison import HERO, Cells
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.known_best import BEST_POSSIBLE
from towers.evaluation.report.tables import (
    SHOWN,
    VARIETY_COLUMNS,
    candidates_line,
    half_width,
    heading,
    plain_table,
    spread,
    wide,
)
from towers.evaluation.slices import MAIN

LEAD_SHOWN = ("map_at_12", "recall_at_100")
_SOURCE_COLUMNS = ("finds of the targets", "nothing else finds", "share of top-12 hits", "only source of them")
_SLICE_ROWS = ("popularity", "bought again", "same product", "bm25", "two towers", "lightgbm", HERO)
_WIDTH = 170


def show_main(evaluation: Evaluation, console: Console) -> None:
    """Print how good it is for customers with and without history."""
    console = wide(console, _WIDTH)
    console.print(f"Purchases of {evaluation.day}, to be found from what was known that morning; ± is of 95 %")
    for part in ("warm", "cold", "all"):
        if part in evaluation.cells:
            console.print(main_table(evaluation, part, {}))
            console.print(candidates_line(evaluation, part))


def show(evaluation: Evaluation, console: Console) -> None:
    """Print all tables."""
    console = wide(console, _WIDTH)
    console.print(
        f"Purchases of {evaluation.day}, to be found from what was known that morning. ± is half the range of 95 %; "
        f"what {HERO} is ahead by is paired over customers, dim where zero is within its range."
    )
    for part in MAIN:
        if part in evaluation.cells:
            console.print(main_table(evaluation, part, evaluation.lead))
            console.print(candidates_line(evaluation, part))
    others = [part for part in evaluation.cells if part not in MAIN]
    for metric in LEAD_SHOWN if others else ():
        console.print(_slice_table(evaluation, others, metric))
    for part, worth in evaluation.sources.items():
        table = plain_table(f"candidate sources, {part}", _SOURCE_COLUMNS)
        for source, values in worth.items():
            table.add_row(source, *(f"{value:.4f}" for value in values.values()))
        console.print(table)
    console.print(_variety_table(evaluation))
    if evaluation.calibration:
        console.print(_calibration_table(evaluation.calibration))
    if evaluation.agreement:
        console.print(evaluation.agreement.line())


def main_table(evaluation: Evaluation, part: str, lead: Cells) -> Table:
    """One slice: a line a row, the best of each column bold, HERO's lead behind where there is one."""
    title, count = evaluation.sizes[part]
    leads = lead.get(part, {})
    columns = [f"{heading(metric)} [dim]±[/dim]" for metric in SHOWN]
    columns += [f"{HERO} ahead by {heading(metric)}" for metric in LEAD_SHOWN] if leads else []
    table = plain_table(f"{part}: {title} ({count:,})", columns, no_wrap=True)
    rows = evaluation.cells[part]
    models = [row for name, row in rows.items() if name not in BEST_POSSIBLE]
    best = {metric: max(row[metric].mean for row in models) for metric in SHOWN}
    for name, row in rows.items():
        line = [_with_half_width(row[m], name not in BEST_POSSIBLE and row[m].mean == best[m]) for m in SHOWN]
        line += [_lead(leads[name][m]) if name in leads else "" for m in LEAD_SHOWN] if leads else []
        table.add_row(name, *line)
    return table


def _slice_table(evaluation: Evaluation, parts: Sequence[str], metric: str) -> Table:
    """Some slices in one table: a line a slice, a column a row of the comparison, one metric."""
    rows = [row for row in _SLICE_ROWS if row in evaluation.cells["all"]]
    table = plain_table(f"{heading(metric)} by slice", ("cases", *rows))
    for part in parts:
        values = [evaluation.cells[part][row][metric].mean for row in rows]
        table.add_row(part, f"{evaluation.sizes[part][1]:,}", *(_bold(v, v == max(values)) for v in values))
    return table


def _variety_table(evaluation: Evaluation) -> Table:
    variety = evaluation.variety
    table = plain_table("variety of the first 12", [f"{part}: {name}" for part in variety for name in VARIETY_COLUMNS])
    for row in next(iter(variety.values()), {}):
        table.add_row(row, *(f"{value:.4f}" for rows in variety.values() for value in rows[row].values()))
    return table


def _calibration_table(calibration: Calibration) -> Table:
    title = (
        f"the ranker's probability, {calibration.count:,} candidates by decile; "
        f"expected calibration error {calibration.expected_error:.5f}"
    )
    table = plain_table(title, [str(decile) for decile in range(1, len(calibration.predicted) + 1)])
    table.columns[0].no_wrap = False  # on a narrow terminal, before a number does
    table.add_row("said", *(f"{value:.5f}" for value in calibration.predicted))
    table.add_row("was bought", *(f"{value:.5f}" for value in calibration.observed))
    return table


def _with_half_width(cell: Interval, best: bool) -> str:
    return f"{_bold(cell.mean, best)} [dim].{round(half_width(cell) * 10_000):04d}[/dim]"


def _bold(value: float, best: bool) -> str:
    return f"[bold]{value:.4f}[/bold]" if best else f"{value:.4f}"


def _lead(cell: Interval) -> str:
    return spread(cell) if cell.clear_of_zero else f"[dim]{spread(cell)}[/dim]"
