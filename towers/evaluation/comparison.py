"""Rows against each other on every slice: means with intervals, and how far one row is ahead of the others, paired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from towers.data.targets import Targets
from towers.evaluation.bootstrap import Interval, intervals, resampled_means
from towers.evaluation.metrics import METRICS, measure_ranks
from towers.evaluation.slices import Slice

Cells = Mapping[str, Mapping[str, Mapping[str, Interval]]]
"""slice -> row -> metric -> mean with its interval."""

HERO = "vitrine"
"""The row whose lead is measured, unless another is named."""


@dataclass(frozen=True)
class Comparison:
    """Metrics of several rows on the same cases."""

    cells: Cells
    lead: Cells  # of the hero over each other row; empty where it is not among the rows

    @classmethod
    def of(
        cls,
        rows: Mapping[str, npt.NDArray[np.int32]],
        slices: Mapping[str, Slice],
        seed: int,
        metrics: Sequence[str] = METRICS,
        hero: str = HERO,
    ) -> Comparison:
        """Measure rows.

        Args:
            rows: name -> rank of every target of the day, from ``metrics.target_ranks``, or [fits, targets] of several
                fits of the same thing: a case's metric is the mean over them.
            slices: name -> slice.
            seed: of the intervals.
            metrics: which of ``METRICS``.
            hero: the row whose lead over the others is measured.
        """
        cells, lead = {}, {}
        for name, part in slices.items():
            measured = [_mean_over_fits(np.atleast_2d(ranks)[:, part.rows], part.targets) for ranks in rows.values()]
            values = np.stack([values[metric] for values in measured for metric in metrics], axis=1)
            means = resampled_means(values, seed)
            columns = {row: slice(i * len(metrics), (i + 1) * len(metrics)) for i, row in enumerate(rows)}

            def by_metric(of_cases: npt.NDArray[np.float64], drawn: npt.NDArray[np.float64]) -> dict[str, Interval]:
                return dict(zip(metrics, intervals(of_cases, drawn), strict=True))

            cells[name] = {row: by_metric(values[:, own], means[:, own]) for row, own in columns.items()}
            if hero in columns:
                best = columns[hero]
                lead[name] = {
                    row: by_metric(values[:, best] - values[:, own], means[:, best] - means[:, own])
                    for row, own in columns.items()
                    if row != hero
                }
        return cls(cells, lead)


def _mean_over_fits(ranks: npt.NDArray[np.int32], targets: Targets) -> dict[str, npt.NDArray[np.float64]]:
    """Every metric of every case, [cases], mean over fits; ranks are [fits, targets]."""
    fits = [measure_ranks(own, targets) for own in ranks]
    return {metric: np.mean([values[metric] for values in fits], axis=0) for metric in fits[0]}
