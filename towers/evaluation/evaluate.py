"""Measures a release on one day against rules, libraries, its own parts and, in a synthetic shop, the best possible."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from itertools import chain

import numpy as np
import numpy.typing as npt

from infra.base.progress import progress_bar
from towers.evaluation.beyond_accuracy import variety
from towers.evaluation.calibration import Calibration
from towers.evaluation.comparison import Comparison
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.metrics import measure_ranks, target_ranks
from towers.evaluation.rows import QUICK_ROWS, WINDOWS, Subject, lists, served_order
from towers.evaluation.served.answers import ROW, compare
from towers.evaluation.served.order import SERVED
from towers.evaluation.slices import Slice, make_slices
from towers.evaluation.source_shares import source_worth, union_recall

BEST_WINDOW = "best trending window"
CURVE_CUTS = (1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 30, 50, 100)
SOURCE_SLICES = ("warm", "new_products", "cold_articles")
VARIETY_SLICES = ("warm", "all")


def evaluate(
    subject: Subject,
    rows: Sequence[str] = QUICK_ROWS,
    served: npt.NDArray[np.int32] | None = None,
) -> Evaluation:
    """Rank every customer of a snapshot in every way and compare.

    Args:
        subject: what is measured.
        rows: of ``rows.ALL_ROWS``; Vitrine and, where there is one, the oracle come on top.
        served: what the gateway answered, lists [cases, depth].
    """
    snapshot = subject.retrieval.snapshot
    slices = make_slices(snapshot)
    order = served_order(subject, rows)
    ranks: dict[str, npt.NDArray[np.int32]] = {}
    varieties: dict[str, dict[str, dict[str, float]]] = {part: {} for part in VARIETY_SLICES if part in slices}
    with progress_bar(f"{len(rows)} rows to compare with", len(rows)) as advance:
        for row, ranked in chain(lists(subject, rows, order), [] if served is None else [(ROW, served)]):
            ranks[row] = target_ranks(ranked, snapshot.targets)
            for part, values in varieties.items():
                values[row] = asdict(variety(ranked[slices[part].cases], snapshot.articles))
            advance(1)
    ranks = _with_best_window(ranks, slices)
    compared = Comparison.of(ranks, slices, subject.seed)
    count, found = order.candidates, (order.sources, order.target_sources, ranks[SERVED])
    return Evaluation(
        day=subject.day.isoformat(),
        sizes={name: (part.title, len(part)) for name, part in slices.items()},
        cells=compared.cells,
        lead=compared.lead,
        candidates={
            name: {"recall": union_recall(part, order.target_sources), "count": float(count[part.cases].mean())}
            for name, part in slices.items()
        },
        sources={
            name: {source: asdict(worth) for source, worth in source_worth(slices[name], *found).items()}
            for name in SOURCE_SLICES
            if name in slices
        },
        variety=varieties,
        curves={name: {row: _curve(part, ranks[row]) for row in ranks} for name, part in slices.items()},
        calibration=Calibration.of(order.scores, order.bought),
        agreement=None if served is None else compare(served, order.rankings[SERVED]),
    )


def _with_best_window(
    ranks: dict[str, npt.NDArray[np.int32]], slices: Mapping[str, Slice]
) -> dict[str, npt.NDArray[np.int32]]:
    """Adds the window of best sellers that serves customers without history best on this very day.

    Nobody could have known which: it is the strongest bar that popularity can set.
    """
    windows = [row for row in WINDOWS if row in ranks]
    if len(windows) < 2:
        return ranks
    part = slices.get("cold", slices["all"])
    best = max(windows, key=lambda row: measure_ranks(ranks[row][part.rows], part.targets)["map_at_12"].mean())
    behind = windows[-1]
    return {
        name: values
        for row, own in ranks.items()
        for name, values in ([(row, own), (BEST_WINDOW, ranks[best])] if row == behind else [(row, own)])
    }


def _curve(part: Slice, ranks: npt.NDArray[np.int32]) -> list[list[float]]:
    """Mean precision and mean recall at CURVE_CUTS."""
    own, targets = ranks[part.rows], part.targets
    found = np.stack([np.bincount(targets.cases, own < k, len(targets)) for k in CURVE_CUTS])
    precision = (found.mean(axis=1) / CURVE_CUTS).tolist()
    return [precision, (found / targets.counts).mean(axis=1).tolist()]
