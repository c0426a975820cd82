"""Precision against recall as lists grow, one small chart a slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

SHOWN_ROWS = {"vitrine": "#c2613c", "lightgbm": "#4c8a5b", "two towers": "#7d5a94", "bought again": "#2f5d8a"}
_LAST_ROW = ("popularity", "#8a857d")
_COLUMNS = 3
_PAPER, _INK = "#fffdfa", "#23211f"


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
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = -(-len(curves) // _COLUMNS)
    figure, grid = plt.subplots(
        rows, _COLUMNS, figsize=(4.2 * _COLUMNS, 2.9 * rows), dpi=110, squeeze=False, layout="constrained"
    )
    figure.set_facecolor(_PAPER)
    for axes in grid.flat[len(curves) :]:
        axes.set_visible(False)
    for axes, (part, lines) in zip(grid.flat, curves.items(), strict=False):
        for row, colour in (*SHOWN_ROWS.items(), _LAST_ROW):
            if row in lines:
                precision, recall = lines[row]
                axes.plot(recall, precision, marker="o", ms=2.5, lw=1.2, color=colour, label=row)
        axes.set_title(f"{part} ({sizes[part][1]:,})", loc="left", fontsize=9, color=_INK)
        axes.set_xlabel("recall", fontsize=8)
        axes.set_ylabel("precision", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    grid.flat[0].legend(frameon=False, fontsize=7)
    figure.suptitle(f"Precision and recall of the first 1 to 100 places, {day}", x=0.01, ha="left", fontsize=11)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, facecolor=_PAPER)
    plt.close(figure)
    return output
