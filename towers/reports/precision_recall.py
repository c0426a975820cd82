"""Precision against recall as lists grow, one small chart a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from towers.reports.charts import BLUE, GREEN, INK, PURPLE, RUST, charts

SHOWN_ROWS = {
    "vitrine": RUST,
    "lightgbm": GREEN,
    "two towers": PURPLE,
    "bought again": BLUE,
    "popularity": "#8a857d",
}


def precision_recall(
    curves: Mapping[str, Mapping[str, Sequence[Sequence[float]]]],
    sizes: Mapping[str, tuple[str, int]],
    output: Path,
    day: str,
) -> Path:
    """Draw mean precision@k against mean recall@k for growing k.

    Args:
        curves: slice -> row -> [precision, recall] at the same growing cuts.
        sizes: slice -> what it is, number of cases.
        output: ``.png``.
        day: of the purchases, for the title.
    """
    with charts(output, len(curves), 3, (4.2, 2.9), dpi=110) as (figure, grid):
        for axes, (part, lines) in zip(grid, curves.items(), strict=True):
            for row, colour in SHOWN_ROWS.items():
                if row in lines:
                    precision, recall = lines[row]
                    axes.plot(recall, precision, marker="o", ms=2.5, lw=1.2, color=colour, label=row)
            axes.set_title(f"{part} ({sizes[part][1]:,})", loc="left", fontsize=9, color=INK)
            axes.set_xlabel("recall", fontsize=8)
            axes.set_ylabel("precision", fontsize=8)
            axes.tick_params(labelsize=7)
        grid[0].legend(frameon=False, fontsize=7)
        figure.suptitle(f"Precision and recall of the first 1 to 100 places, {day}", x=0.01, ha="left", fontsize=11)
    return output
