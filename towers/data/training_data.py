"""Everything that training reads, opened once: fits on some of the days or on all of them share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import numpy.typing as npt

from feature_repo.batch.as_of import refuse_future
from infra.base.calendar import epoch_day
from infra.base.progress import console
from serving.ranking.query_features import QUERY_CATEGORIES
from towers.data.catalogue import Catalogue, read_catalogue
from towers.data.point_in_time import PointInTime
from towers.data.preprocessing import make_vocabulary
from towers.data.purchase_log import PurchaseLog
from towers.data.purchases import day_name, log_numbers, read_purchases, training_days
from towers.data.snapshot import Snapshot
from towers.data.targets import Targets


@dataclass(frozen=True)
class Shop:
    """What all days have in common."""

    catalogue: Catalogue
    purchases: PurchaseLog
    vocabularies: Mapping[str, Mapping[str, int]]  # of the query tower's categories


@dataclass(frozen=True)
class TrainingData:
    """The catalogue, the log and snapshots of the training days."""

    as_of: date  # purchases dated before it are known
    catalogue: Catalogue
    purchases: PurchaseLog
    vocabularies: dict[str, dict[str, int]]  # of the query tower's categories
    past: list[Snapshot]  # all training days but the last
    report: Snapshot  # the last: what a fit on the others is measured on
    test: Snapshot  # the report day's test customers
    test_log_customers: npt.NDArray[np.int32]  # as the log numbers them
    release_day: Snapshot  # ``as_of`` itself, without customers

    @property
    def shop(self) -> Shop:
        """What all days have in common."""
        return Shop(self.catalogue, self.purchases, self.vocabularies)


def open_training_data(
    tables_dir: Path, store: Any, as_of: date, days: int, customers_per_day: int, test_customers: int, seed: int
) -> TrainingData:
    """Join features point-in-time and read the purchases.

    Args:
        tables_dir: what ``vitrine ingest`` wrote.
        store: ``feast.FeatureStore``.
        as_of: use purchases dated before it.
        days: training days at most, fewer of a large shop (``training_days``); one more is the report day.
        customers_per_day: of the training days, at most.
        test_customers: every customer with history is tested, and others up to so many in all.
        seed: draws customers.

    Raises:
        UserError: tables are missing, or purchases on two days, or ``as_of`` is still to come.
    """
    refuse_future(as_of)
    today = epoch_day(as_of)
    point_in_time = PointInTime(store, tables_dir)
    catalogue = read_catalogue(point_in_time, tables_dir, today)
    everything = read_purchases(tables_dir, catalogue.table.ids)
    chosen = training_days(everything, today, days + 1, customers_per_day)
    purchases = everything.before(today)
    console.print(f"training days {day_name(chosen[0])} to {day_name(chosen[-1])}, measured on {day_name(chosen[-1])}")
    *past, report = point_in_time.snapshots(catalogue.table, chosen, customers_per_day, seed)
    test = _test_cases(report, test_customers, seed)
    (articles,) = point_in_time.article_tables(catalogue.table, [today])
    return TrainingData(
        as_of=as_of,
        catalogue=catalogue,
        purchases=purchases,
        vocabularies=read_query_vocabularies(tables_dir),
        past=past,
        report=report,
        test=test,
        test_log_customers=log_numbers(tables_dir, catalogue.table.ids, [c.customer_id for c in test.customers]),
        release_day=Snapshot(today, articles, [], Targets.from_lists([])),
    )


def read_query_vocabularies(tables_dir: Path) -> dict[str, dict[str, int]]:
    """Value -> index of each of the query tower's categories, "" (unknown) at 0."""
    path = tables_dir / "customers.parquet"
    vocabularies = {}
    for name in QUERY_CATEGORIES:
        rows = duckdb.execute(f"SELECT DISTINCT {name} FROM read_parquet($path)", {"path": str(path)}).fetchall()
        vocabularies[name] = {value: index for index, value in enumerate(make_vocabulary([row[0] for row in rows]))}
    return vocabularies


def _test_cases(report: Snapshot, limit: int, seed: int) -> Snapshot:
    """Every customer with history, and of the others as many as fit."""
    warm = np.flatnonzero(report.warm)
    cold = np.random.default_rng(seed).permutation(np.flatnonzero(~report.warm))[: max(limit - len(warm), 0)]
    return report.take(np.sort(np.concatenate([warm, cold])))
