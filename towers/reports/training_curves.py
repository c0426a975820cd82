"""Losses of each epoch, as one picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import cycle
from pathlib import Path

from towers.reports.charts import BLUE, GREEN, INK, PURPLE, RUST, charts

_COLOURS = (BLUE, RUST, GREEN, PURPLE)


def training_curves(measures: Mapping[str, Sequence[float]], output: Path, title: str) -> Path | None:
    """Draw one small chart a measure over the epochs.

    Args:
        measures: name -> value of each epoch; what has none is left out.
        output: ``.png``.

    Returns:
        The file; None where no epoch was trained.
    """
    drawn = {name: values for name, values in measures.items() if values}
    if not drawn:
        return None
    from matplotlib.ticker import MaxNLocator

    with charts(output, len(drawn), min(3, len(drawn)), (4.6, 3.1), dpi=130) as (figure, grid):
        for axes, colour, (name, values) in zip(grid, cycle(_COLOURS), drawn.items(), strict=False):
            axes.plot(range(1, len(values) + 1), values, "-", marker="o", ms=3.5, color=colour)
            axes.set_title(name.replace("_", " "), loc="left", fontsize=10, color=INK)
            axes.set_xlabel("epoch", fontsize=8)
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            axes.tick_params(labelsize=8)
        figure.suptitle(title, x=0.01, ha="left", fontsize=12, color=INK)
    return output
