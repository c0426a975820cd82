"""The comparison for people: tables for the terminal, and a page in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from towers.evaluation.bootstrap import Interval
from towers.evaluation.comparison import HERO, Cells

SHOWN = ("map_at_12", "ndcg_at_10", "precision_at_10", "recall_at_12", "recall_at_100")
LEAD_SHOWN = ("map_at_12", "recall_at_100")
OBSERVER, ORACLE = "observer", "oracle"
BEST_POSSIBLE = (OBSERVER, ORACLE)
"""Rows of a synthetic shop that no model is expected to reach: what purchases allow at best, and the truth."""

Sizes = Mapping[str, tuple[str, int]]
"""slice -> what it is, and how many cases it has."""


def main_table(part: str, cells: Cells, lead: Cells, sizes: Sizes) -> Table:
    """One slice for the terminal: a line a row, the best of each column bold, HERO's lead behind."""
    title, count = sizes[part]
    table = plain_table(f"{part}: {title} ({count:,})")
    table.add_column("", no_wrap=True)
    for metric in SHOWN:
        table.add_column(f"{heading(metric)} [dim]±[/dim]", justify="right", no_wrap=True)
    leads = lead.get(part, {})
    if leads:
        for metric in LEAD_SHOWN:
            table.add_column(f"{HERO} ahead by {heading(metric)}", justify="right", no_wrap=True)
    rows = cells[part]
    models = [row for name, row in rows.items() if name not in BEST_POSSIBLE]
    best = {metric: max(row[metric].mean for row in models) for metric in SHOWN}
    for name, row in rows.items():
        line = [_with_half_width(row[m], name not in BEST_POSSIBLE and row[m].mean == best[m]) for m in SHOWN]
        line += [_lead(leads[name][m]) if name in leads else "" for m in LEAD_SHOWN] if leads else []
        table.add_row(name, *line)
    return table


def slice_table(parts: Sequence[str], rows: Sequence[str], metric: str, cells: Cells, sizes: Sizes) -> Table:
    """Some slices in one table for the terminal: a line a slice, a column a row of the comparison, one metric."""
    table = plain_table(f"{heading(metric)} by slice")
    table.add_column("", no_wrap=True)
    table.add_column("cases", justify="right")
    for row in rows:
        table.add_column(row, justify="right")
    for part in parts:
        values = [cells[part][row][metric].mean for row in rows]
        line = [f"[bold]{v:.4f}[/bold]" if v == max(values) else f"{v:.4f}" for v in values]
        table.add_row(part, f"{sizes[part][1]:,}", *line)
    return table


def markdown(cells: Cells, lead: Cells, sizes: Sizes) -> str:
    """All slices, rows and metrics as a page."""
    lines: list[str] = []
    for part, rows in cells.items():
        title, count = sizes[part]
        metrics = list(next(iter(rows.values())))
        lines += [f"### {part}: {title} ({count:,})", "", "| | " + " | ".join(map(heading, metrics)) + " |"]
        lines += ["|---|" + "---:|" * len(metrics)]
        for name, row in rows.items():
            values = [f"{row[m].mean:.4f} ± {_half_width(row[m]):.4f}" for m in metrics]
            lines.append(f"| {name} | " + " | ".join(values) + " |")
        lines.append("")
        if part in lead:
            lines += [f"{HERO} minus each row, paired, with the range of 95 %:", ""]
            lines += ["| | " + " | ".join(map(heading, SHOWN)) + " |", "|---|" + "---:|" * len(SHOWN)]
            for name, row in lead[part].items():
                lines.append(f"| {name} | " + " | ".join(_range(row[m]) for m in SHOWN) + " |")
            lines.append("")
    return "\n".join(lines)


def plain_table(title: str) -> Table:
    """An empty table as all of them look."""
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)


def heading(metric: str) -> str:
    """``map_at_12`` -> MAP@12."""
    name, cut = metric.split("_at_")
    return f"{ {'map': 'MAP', 'ndcg': 'NDCG', 'precision': 'P', 'recall': 'R'}[name] }@{cut}"


def _with_half_width(cell: Interval, bold: bool) -> str:
    mean = f"[bold]{cell.mean:.4f}[/bold]" if bold else f"{cell.mean:.4f}"
    return f"{mean} [dim].{round(_half_width(cell) * 10_000):04d}[/dim]"


def _lead(cell: Interval) -> str:
    text = _range(cell)
    return text if cell.clear_of_zero else f"[dim]{text}[/dim]"


def _range(cell: Interval) -> str:
    return f"{cell.mean:+.4f} [{cell.low:+.4f}, {cell.high:+.4f}]"


def _half_width(cell: Interval) -> float:
    return (cell.high - cell.low) / 2
