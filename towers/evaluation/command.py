"""``vitrine evaluate``: what is measured, against what, and where it is shown."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.base.progress import console
from infra.base.settings import Settings
from serving.release.manifest import Manifest
from towers.evaluation.evaluate import evaluate
from towers.evaluation.evaluation import Evaluation
from towers.evaluation.holdout import Holdout, read_holdout
from towers.evaluation.known_best import KnownBestRows
from towers.evaluation.report.files import write_report
from towers.evaluation.report.metrics_json import from_json
from towers.evaluation.report.terminal import show
from towers.evaluation.rows import TREES, Subject, chosen_rows
from towers.evaluation.served.answers import ask_gateway
from towers.training.evaluation_artifacts import EvaluationArtifacts
from towers.training.release_under_test import open_subject

FIRST_DAY, WHOLE_FILE = "holdout", "holdout_whole_file"


@dataclass(frozen=True)
class EvaluationRequest:
    """One call of ``vitrine evaluate``."""

    release: int
    day: date | None
    holdout: Path | None
    served: bool
    rows: str | None
    customers: int
    seed: int
    known_best: KnownBestRows


def run(settings: Settings, request: EvaluationRequest) -> dict[str, Evaluation]:
    """Measure, show and write; returns what was found by split.

    Raises:
        UserError: says what is missing or does not fit.
    """
    from feature_repo.store import open_store

    rows = chosen_rows(request.rows)
    folder = settings.releases_dir / str(request.release)
    manifest = Manifest.read(folder)
    measured = EvaluationArtifacts.of(settings, request.release)
    peers = measured.release_peers
    splits: dict[str, tuple[date, Mapping[str, list[str]] | None]] = {}
    if request.holdout is not None:
        holdout = read_holdout(request.holdout, settings.tables_dir, date.fromisoformat(manifest.as_of))
        _tell_holdout(holdout)
        splits[FIRST_DAY] = (holdout.first_day, holdout.of_first_day)
        if holdout.last_day > holdout.first_day:
            splits[WHOLE_FILE] = (holdout.first_day, holdout.of_all_days)
    elif request.day is not None:
        splits[FIRST_DAY] = (request.day, None)
    else:
        folder, peers = measured.test, measured.test_peers
        if not folder.is_dir():
            return _show_stored(settings.releases_dir / str(request.release), folder)
        splits["test"] = (date.fromisoformat(Manifest.read(folder).as_of), None)
    store = open_store(settings)
    evaluations = {}
    for split, (day, bought) in splits.items():
        subject = open_subject(
            folder, store, settings.tables_dir, day, request.customers, request.seed, bought, request.known_best, peers
        )
        _tell_subject(subject, rows)
        served = _ask(settings, subject, request.release) if request.served else None
        evaluation = evaluate(subject, rows, served)
        show(evaluation, console)
        for path in write_report(evaluation, settings.reports_dir, split):
            console.print(f"wrote {path}", soft_wrap=True)
        evaluations[split] = evaluation
    return evaluations


def _show_stored(release: Path, missing: Path) -> dict[str, Evaluation]:
    """The table of the release's training."""
    evaluation = from_json(json.loads((release / "metrics.json").read_text()))
    show(evaluation, console)
    console.print(
        f"This is what its training measured: the models that had not seen {evaluation.day} are not at {missing}: no "
        "row can be added. `vitrine train` keeps them; --day and --holdout measure the release itself.",
        highlight=False,
    )
    return {"test": evaluation}


def _ask(settings: Settings, subject: Subject, release: int) -> npt.NDArray[np.int32]:
    """The gateway's lists."""
    snapshot = subject.retrieval.snapshot
    customers = [customer.customer_id for customer in snapshot.customers]
    served = ask_gateway(settings.gateway_address, customers, snapshot.articles, release)
    if served.degraded:
        console.print(f"  [yellow]{served.degraded:,} answers lacked a part of the system[/yellow]", highlight=False)
    return served.ranked


def _tell_holdout(holdout: Holdout) -> None:
    customers = len(holdout.of_all_days)
    console.print(
        f"{holdout.purchases:,} purchases by {customers:,} customers, {holdout.first_day} to {holdout.last_day}; "
        f"{holdout.unknown_customers:,} of the customers have not bought before, "
        f"{holdout.unknown_articles:,} purchases of unknown articles are left out",
        highlight=False,
    )


def _tell_subject(subject: Subject, rows: tuple[str, ...]) -> None:
    """Say whom the tables are about, and which rows cannot be there."""
    snapshot = subject.retrieval.snapshot
    console.print(
        f"{len(snapshot.customers):,} customers who bought on {subject.day}, {int(snapshot.warm.sum()):,} with history",
        highlight=False,
    )
    if subject.training_rows is None and set(rows) & set(TREES):
        console.print("  without boosted trees: `vitrine train` kept no training rows of this release")
