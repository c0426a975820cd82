"""Tables for the terminal as all of them look, and how numbers are written in these and on pages."""

from __future__ import annotations

from collections.abc import Iterable

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from towers.evaluation.bootstrap import Interval
from towers.evaluation.evaluation import SHARE_OF, Evaluation

SHOWN = ("map_at_12", "ndcg_at_10", "precision_at_10", "recall_at_12", "recall_at_100")
VARIETY_COLUMNS = ("coverage", "novelty, bits", "diversity")


def plain_table(title: str, columns: Iterable[str], no_wrap: bool = False) -> Table:
    """An empty table: names to the left, numbers to the right."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=no_wrap)
    return table


def wide(console: Console, width: int) -> Console:
    """The console, or one of at least this width where it writes into a log file: that is not 80 columns wide."""
    return console if console.is_terminal else Console(width=max(console.width, width))


def candidates_line(evaluation: Evaluation, part: str) -> str:
    """How much of a slice the candidates hold, and how near Vitrine comes to the oracle in it."""
    values = evaluation.candidates[part]
    line = f"{part}: {values['recall']:.4f} of the targets are among {values['count']:.0f} candidates a customer"
    share = evaluation.achievable_share(part)
    return line + (f"; {share:.0%} of the oracle's {SHARE_OF}" if share is not None else "")


def heading(metric: str) -> str:
    """``map_at_12`` -> MAP@12."""
    name, cut = metric.split("_at_")
    return f"{ {'map': 'MAP', 'ndcg': 'NDCG', 'precision': 'P', 'recall': 'R'}[name] }@{cut}"


def spread(cell: Interval) -> str:
    """A difference and its range: ``+0.0012 [-0.0001, +0.0025]``."""
    return f"{cell.mean:+.4f} [{cell.low:+.4f}, {cell.high:+.4f}]"


def half_width(cell: Interval) -> float:
    """What stands behind ±."""
    return (cell.high - cell.low) / 2
