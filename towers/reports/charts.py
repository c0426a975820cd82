"""Small charts on one sheet, all dressed alike."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PAPER, INK, BLUE, RUST, GREEN, PURPLE = "#fffdfa", "#23211f", "#2f5d8a", "#c2613c", "#4c8a5b", "#7d5a94"


@contextmanager
def charts(
    output: Path, count: int, columns: int, size_inches: tuple[float, float], dpi: int
) -> Iterator[tuple[Any, list[Any]]]:
    """Matplotlib's figure and ``count`` axes, ``columns`` side by side; written to ``output`` (``.png``) when drawn.

    Args:
        size_inches: width and height of each chart.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    rows = -(-count // columns)
    size = (size_inches[0] * columns, size_inches[1] * rows)
    figure, grid = plt.subplots(rows, columns, figsize=size, dpi=dpi, squeeze=False, layout="constrained")
    figure.set_facecolor(PAPER)
    for axes in grid.flat[:count]:
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    for axes in grid.flat[count:]:
        axes.set_visible(False)
    yield figure, list(grid.flat[:count])
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, facecolor=PAPER)
    plt.close(figure)
