"""Whether the ranker's probabilities hold: what it said against what was bought."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from towers.reports.charts import BLUE, INK, charts

if TYPE_CHECKING:
    from towers.evaluation.calibration import Calibration


def calibration_plot(calibration: Calibration, output: Path, day: str) -> Path:
    """Draw the deciles on logarithmic axes, with the diagonal on which both are equal.

    Args:
        output: ``.png``.
        day: of the purchases, for the title.
    """
    both = zip(calibration.predicted, calibration.observed, strict=True)
    pairs = [(said, was) for said, was in both if said > 0 and was > 0]
    title = f"Calibration on {day}: {calibration.count:,} candidates, error {calibration.expected_error:.5f}"
    with charts(output, 1, 1, (5.2, 4.8), dpi=130) as (_, (axes,)):
        if pairs:
            ends = [min(map(min, pairs)) / 1.5, max(map(max, pairs)) * 1.5]
            axes.plot(ends, ends, "--", color=INK, lw=0.8, label="equal")
            axes.loglog(*zip(*pairs, strict=True), marker="o", color=BLUE, label="deciles of the candidates")
            axes.legend(frameon=False, fontsize=8)
        axes.set_xlabel("the ranker's mean probability", fontsize=9)
        axes.set_ylabel("share that was bought", fontsize=9)
        axes.set_title(title, loc="left", fontsize=10, color=INK)
    return output
