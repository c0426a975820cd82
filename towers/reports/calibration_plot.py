"""Whether the ranker's probabilities hold: what it said against what was bought."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from towers.evaluation.calibration import Calibration

_PAPER, _INK, _BLUE = "#fffdfa", "#23211f", "#2f5d8a"


def calibration_plot(calibration: Calibration, output: Path, day: str) -> Path:
    """Draw the deciles on logarithmic axes, with the diagonal on which both are equal.

    Args:
        output: ``.png``.
        day: of the purchases, for the title.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    pairs = [
        (said, was)
        for said, was in zip(calibration.predicted, calibration.observed, strict=True)
        if said > 0 and was > 0
    ]
    figure, axes = plt.subplots(figsize=(5.2, 4.8), dpi=130, layout="constrained")
    figure.set_facecolor(_PAPER)
    if pairs:
        ends = [min(map(min, pairs)) / 1.5, max(map(max, pairs)) * 1.5]
        axes.plot(ends, ends, "--", color=_INK, lw=0.8, label="equal")
        axes.loglog(*zip(*pairs, strict=True), marker="o", color=_BLUE, label="deciles of the candidates")
        axes.legend(frameon=False, fontsize=8)
    axes.set_xlabel("the ranker's mean probability", fontsize=9)
    axes.set_ylabel("share that was bought", fontsize=9)
    axes.set_title(
        f"Calibration on {day}: {calibration.count:,} candidates, error {calibration.expected_error:.5f}",
        loc="left",
        fontsize=10,
        color=_INK,
    )
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, facecolor=_PAPER)
    plt.close(figure)
    return output
