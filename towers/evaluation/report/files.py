"""The files of one evaluation in ``var/reports``: a page, its figures and pictures."""

from __future__ import annotations

from pathlib import Path

from infra.base.figures import keep_others, write_figures
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.report.figures import figures
from towers.evaluation.report.markdown import page
from towers.reports.calibration_plot import calibration_plot
from towers.reports.precision_recall import precision_recall


def write_report(evaluation: Evaluation, reports_dir: Path, split: str = "test") -> list[Path]:
    """Write the tables as a page, all figures into ``quality.json`` and the pictures; return the paths.

    Figures of other splits that were measured at the same commit stay in the file.
    """
    suffix = "" if split == "test" else f"_{split}"
    path = reports_dir / f"quality{suffix}.md"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(evaluation))
    others = keep_others(reports_dir, "quality", f"{split}.")
    written = [path, write_figures(reports_dir, "quality", figures(evaluation, split), others)]
    curves = reports_dir / f"precision_recall{suffix}.png"
    written.append(precision_recall(evaluation.curves, evaluation.sizes, curves, evaluation.day))
    if evaluation.calibration:
        plot = reports_dir / f"calibration{suffix}.png"
        written.append(calibration_plot(evaluation.calibration, plot, evaluation.day))
    return written
