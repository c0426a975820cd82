"""An evaluation as a release keeps it: ``metrics.json``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from towers.evaluation.bootstrap import Interval
from towers.evaluation.calibration import Calibration
from towers.evaluation.comparison import Cells
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.served.answers import Agreement


def as_json(evaluation: Evaluation) -> dict[str, Any]:
    """Plain data, read back by ``from_json``."""
    return asdict(evaluation)


def from_json(content: Mapping[str, Any]) -> Evaluation:
    """Read what ``as_json`` made."""
    calibration, agreement = content["calibration"], content["agreement"]
    read = {
        "sizes": {part: (title, count) for part, (title, count) in content["sizes"].items()},
        "cells": _intervals(content["cells"]),
        "lead": _intervals(content["lead"]),
        "calibration": Calibration(**calibration) if calibration else None,
        "agreement": Agreement(**agreement) if agreement else None,
    }
    return Evaluation(**{**content, **read})


def _intervals(content: Mapping[str, Any]) -> Cells:
    return {
        part: {row: {metric: Interval(*cell) for metric, cell in values.items()} for row, values in rows.items()}
        for part, rows in content.items()
    }
