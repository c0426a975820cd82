"""An evaluation as figures: ``<split>.<slice>.<row>.<metric>``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from infra.base.figures import Figure
from towers.evaluation.bootstrap import Interval
from towers.evaluation.comparison import HERO
from towers.evaluation.evaluation import PEER, SHARE_OF, Evaluation

Rows = Mapping[str, Mapping[str, Interval]]
"""row -> metric -> mean with its interval."""


def figures(evaluation: Evaluation, split: str) -> dict[str, Figure]:
    """All that was measured; metrics have popularity of the same run as their peer."""
    result: dict[str, Figure] = {}
    for part, rows in evaluation.cells.items():
        prefix = f"{split}.{part}."
        result |= compared(rows, PEER, prefix)
        result |= differences(evaluation.lead.get(part, {}), f"{prefix}{HERO}_minus_")
        share = evaluation.achievable_share(part) if HERO in rows else None
        if share is not None:
            result[f"{prefix}{HERO}.share_of_oracle_{SHARE_OF}"] = Figure(share, "share")
        result[f"{prefix}customers.count"] = Figure(evaluation.sizes[part][1], "cases")
    for part, candidates in evaluation.candidates.items():
        result[f"{split}.{part}.candidates.recall"] = Figure(candidates["recall"], "share")
        result[f"{split}.{part}.candidates.count"] = Figure(candidates["count"], "articles")
    for part, sources in evaluation.sources.items():
        for source, worth in sources.items():
            for metric, value in worth.items():
                result[f"{split}.{part}.source_{_name(source)}.{metric}"] = Figure(value, "share")
    for part, varieties in evaluation.variety.items():
        for row, values in varieties.items():
            for metric, value in values.items():
                unit = "bits" if metric.endswith("bits") else "share"
                result[f"{split}.{part}.{_name(row)}.{metric}"] = Figure(value, unit)
    if evaluation.calibration:
        error = Figure(evaluation.calibration.expected_error, "probability")
        result[f"{split}.warm.{HERO}.expected_calibration_error"] = error
    if evaluation.agreement:
        for metric, value in asdict(evaluation.agreement).items():
            result[f"{split}.all.served.{metric}"] = Figure(value, "share", "evaluated", 1.0)
    return result


def compared(rows: Rows, peer: str, prefix: str, kind: str = "") -> dict[str, Figure]:
    """``<prefix><row>.<kind><metric>`` for the rows of one slice, beside the row ``peer`` where it is among them."""
    return {
        f"{prefix}{_name(row)}.{kind}{metric}": Figure(
            cell.mean,
            "share",
            peer if row != peer else None,
            rows[peer][metric].mean if peer in rows else None,
            (cell.low, cell.high),
        )
        for row, cells in rows.items()
        for metric, cell in cells.items()
    }


def differences(rows: Rows, prefix: str, kind: str = "") -> dict[str, Figure]:
    """The same for how far one row is ahead of each."""
    return {
        f"{prefix}{_name(row)}.{kind}{metric}": Figure(cell.mean, "difference", interval=(cell.low, cell.high))
        for row, cells in rows.items()
        for metric, cell in cells.items()
    }


def _name(row: str) -> str:
    return row.replace(" ", "_").replace("-", "_")
