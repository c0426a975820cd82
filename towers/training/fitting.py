"""Fits everything that a release learns to the purchases before a day."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from serving.ranking.feature_group import column_of
from serving.ranking.ranking_features import ranking_feature_names
from serving.ranking.ranking_inputs import NEVER_DAYS
from serving.retrieval.candidates import collect
from serving.retrieval.sources.registry import SOURCES, source_class
from towers.data.folds import fold
from towers.data.heldout_baskets import join_baskets, split_baskets
from towers.data.ranking_set import RankingSet, Retrieval, make_ranking_set
from towers.data.snapshot import Snapshot
from towers.data.training_data import Shop
from towers.models.ranker import RankerConfig, ServedRanker, calibrate, train_ranker
from towers.models.two_stage import TwoStageConfig
from towers.training.counts.source_precision import Answer, fit_source_precision
from towers.training.factor_fitting import DIM
from towers.training.fitted_sources import FittedSourcesByDay
from towers.training.fitted_towers import FittedTowers, TowerPart, fit_towers
from towers.training.tower_trainer import TowerTraining

QUOTAS: Mapping[str, int] = {source.name: source.default_quota for source in SOURCES if source.default_quota}
"""The sources that are on unless told otherwise, and how many articles each may propose.

Together far more than are ranked: which are kept is decided customer by customer (``source_precision``).
"""


@dataclass(frozen=True)
class FittingConfig:
    """What is fitted, and how."""

    towers: TwoStageConfig = field(default_factory=TwoStageConfig)
    tower_training: TowerTraining = field(default_factory=TowerTraining)
    ranker: RankerConfig = field(default_factory=RankerConfig)
    quotas: Mapping[str, int] = field(default_factory=lambda: dict(QUOTAS))
    latent_dim: int = DIM  # length of a latent taste, 0 for none
    ranker_customers: int = 10_000
    ranker_baskets: int = 8_000
    seed: int = 7

    def sources_by_day(self, shop: Shop) -> FittedSourcesByDay:
        """The shop's sources_by_day, as these sources and tastes need them."""
        return FittedSourcesByDay(shop, tuple(self.quotas), self.latent_dim)

    def with_quotas(self, changes: Mapping[str, int]) -> FittingConfig:
        """The same with other quotas for some sources; 0 switches a source off.

        Raises:
            UserError: there is no such source, or none is left.
        """
        for name in changes:
            source_class(name)
        quotas = {name: limit for name, limit in {**self.quotas, **changes}.items() if limit > 0}
        if not quotas:
            raise UserError("no candidate source is left; give at least one a quota above 0")
        return replace(self, quotas=quotas)

    def with_seed(self, seed: int) -> FittingConfig:
        """The same with all randomness from another seed."""
        return replace(
            self,
            seed=seed,
            tower_training=replace(self.tower_training, seed=seed),
            ranker=replace(self.ranker, seed=seed),
        )


@dataclass(frozen=True)
class Fitted:
    """Everything of one release that was learned, and the rows that the ranker learned from."""

    towers: TowerPart
    ranker: ServedRanker
    rows: RankingSet
    precision: Mapping[str, npt.NDArray[np.float32]]  # source -> how often it is right at each place
    out_of_fold: tuple[TowerPart, ...]  # what the ranker saw its customers through, see ``folds``
    config: FittingConfig
    sources_by_day: FittedSourcesByDay

    def retrieval(self, snapshot: Snapshot) -> Retrieval:
        """Sources fitted to purchases before the snapshot's day, and the towers, ready to propose to its customers."""
        return self.sources_by_day.retrieve(snapshot, self.towers, self.config.quotas, self.precision)


def fit(
    snapshots: Sequence[Snapshot],
    sources_by_day: FittedSourcesByDay,
    config: FittingConfig,
    out_of_fold: tuple[TowerPart, ...] | None = None,
) -> Fitted:
    """Train the towers on all snapshots and the ranker on candidates of the last of them.

    Args:
        sources_by_day: from ``config.sources_by_day``; several fits may share them.
        out_of_fold: of an earlier fit to fewer of the snapshots; trained anew where there is none.
    """
    shop = sources_by_day.shop
    towers = fit_towers(snapshots, shop.catalogue, shop.vocabularies, config.towers, config.tower_training, out_of_fold)
    return fit_ranker(snapshots, towers, sources_by_day, config)


def fit_ranker(
    snapshots: Sequence[Snapshot],
    towers: FittedTowers,
    sources_by_day: FittedSourcesByDay,
    config: FittingConfig,
) -> Fitted:
    """Train the ranker on candidates of the last snapshots, as sources and towers that had not seen them propose."""
    rng = np.random.default_rng(config.seed)
    columns = ranking_feature_names(tuple(config.quotas))

    def retrieved(case: FoldCase, precision: Mapping[str, npt.NDArray[np.float32]] | None = None) -> Retrieval:
        return sources_by_day.retrieve(case.snapshot, case.towers, config.quotas, precision)

    def rows_of(cases: Sequence[FoldCase], negatives: int, baskets: bool) -> RankingSet:
        customers = sum(len(case.snapshot.customers) for case in cases)
        retrievals = (retrieved(case, precision) for case in cases)
        return make_ranking_set(retrievals, customers, negatives, rng, only_new_products=baskets)

    cases = in_folds(ranking_cases(snapshots, config.ranker_customers, rng), towers)
    precision = fit_precision((retrieved(case.returning()) for case in cases), tuple(config.quotas))
    rows = real = rows_of(cases, config.ranker.negatives_per_customer, baskets=False)
    days = {case.snapshot.day for case in cases}
    of_days = in_folds([snapshot for snapshot in snapshots if snapshot.day in days], towers)
    baskets = held_out_baskets(of_days, config.ranker_baskets, rng)
    if baskets:
        # Half as many negatives: there are many of these, and all are of the easier kind.
        known = rows_of(baskets, config.ranker.negatives_per_customer // 2, baskets=True)
        rows = join_baskets(rows, known, columns)
    model = train_ranker(rows, config.ranker)
    # Cold customers and held-out baskets teach the order; the chances are to be those of who is served by it.
    returning = real.features[:, column_of(columns, "days_since_last_purchase")] < NEVER_DAYS
    calibrate(model, real, returning)
    return Fitted(
        towers.served, ServedRanker(model, len(columns)), rows, precision, towers.out_of_fold, config, sources_by_day
    )


def fit_precision(retrievals: Iterable[Retrieval], sources: tuple[str, ...]) -> dict[str, npt.NDArray[np.float32]]:
    """How often each source was right at each place, for the customers of some retrievals."""

    def answers() -> Iterator[Answer]:
        for retrieval in retrievals:
            targets = retrieval.snapshot.targets
            for case in range(len(retrieval.snapshot.customers)):
                candidates = collect(retrieval.query(case), retrieval.quotas, most=None)
                wanted = targets.articles[slice(*targets.offsets[case : case + 2])]
                yield candidates.ranks, np.isin(candidates.positions, wanted)

    return fit_source_precision(sources, answers())


class FoldCase(NamedTuple):
    """Customers of one fold on one day, and towers that have not seen them."""

    snapshot: Snapshot
    towers: TowerPart

    def returning(self) -> FoldCase:
        """Those who had bought before."""
        return self._replace(snapshot=self.snapshot.take(np.flatnonzero(self.snapshot.warm)))


def in_folds(snapshots: Sequence[Snapshot], towers: FittedTowers) -> list[FoldCase]:
    """Each day's customers by fold; folds without any are left out."""
    cases = [
        FoldCase(fold(snapshot, number), out_of_fold)
        for snapshot in snapshots
        for number, out_of_fold in enumerate(towers.out_of_fold)
    ]
    return [case for case in cases if case.snapshot.customers]


def held_out_baskets(cases: Sequence[FoldCase], customers: int, rng: np.random.Generator) -> list[FoldCase]:
    """Held-out baskets of these cases, of so many customers in all; nothing where there are none to split."""
    split = [case._replace(snapshot=split_baskets(case.snapshot, customers // len(cases), rng)) for case in cases]
    return [case for case in split if case.snapshot.customers]


def ranking_cases(snapshots: Sequence[Snapshot], customers: int, rng: np.random.Generator) -> list[Snapshot]:
    """Draw the ranker's customers from the latest days: of each day those with history, and as many without.

    Cold customers have to be many: with a few, the ranker reads into their rows what it learned of others, and ranks
    them worse than popularity does. In a young log, where most are cold, a day gives at least a fifth of all cases.

    The first day is left out where there are others: what its neighbours and co-occurrence are fitted to is too little
    for it to look like a day that is served. (On H&M's second day alone or both before the third: LightGBM's MAP@12 on
    the third is .170 or .161.)
    """
    cases: list[Snapshot] = []
    share_of_a_day = customers // 5
    for snapshot in reversed(snapshots[1:] or snapshots):
        if customers <= 0:
            break
        warm = rng.permutation(np.flatnonzero(snapshot.warm))[:customers]
        most_cold = min(max(len(warm), share_of_a_day), customers - len(warm))
        cold = rng.permutation(np.flatnonzero(~snapshot.warm))[:most_cold]
        cases.append(snapshot.take(np.sort(np.concatenate([warm, cold]))))
        customers -= len(warm) + len(cold)
    return cases[::-1]
