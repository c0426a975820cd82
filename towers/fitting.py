"""Fits everything a release holds to the purchases before a day, and proposes candidates as of any morning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from infra.errors import UserError
from serving.retrieval.candidates import Quota, collect
from serving.retrieval.hit_chances import Answer, fit_hit_chances
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.purchase_log import PurchaseLog
from serving.retrieval.query_features import QUERY_CATEGORIES, query_inputs
from serving.retrieval.ranking_features import NEVER_DAYS, ranking_feature_names
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.cold_articles import ColdArticlesSource
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.similar_picture import SimilarPictureSource
from serving.retrieval.sources.source import CandidateSource
from serving.retrieval.sources.trending import (
    INDEX_GROUP_TREND,
    AgeTrendSource,
    TrendingSource,
    department_trend,
    index_group_trend,
)
from towers.basket_cases import join_baskets, split_baskets
from towers.candidate_features import candidate_numeric
from towers.catalogue import Catalogue
from towers.ranker import RankerConfig, ServedRanker, calibrate, train_ranker
from towers.ranking_set import AnsweredTowerSource, RankingSet, Retrieval, make_ranking_set
from towers.snapshot import Snapshot
from towers.tower_trainer import ServedQueryTower, TowerTraining, content_vectors, item_vectors, train_towers
from towers.training_set import make_training_set
from towers.two_stage import TwoStageConfig, TwoStageModel

QUOTAS: Mapping[str, int] = {
    "bought_again": 60,
    "same_product": 100,
    "bought_together": 300,
    "tower": 500,
    "department_trend": 200,
    "trending": 400,
    "cold_articles": 110,
}
"""The sources that are on unless told otherwise, and how many articles each may propose.

Together far more than are ranked: which are kept is decided customer by customer (``hit_chances``).
"""
SOURCES = (*QUOTAS, SimilarPictureSource.name, INDEX_GROUP_TREND, AgeTrendSource.name)
"""All that a release may have."""


@dataclass(frozen=True)
class FittingConfig:
    """What is fitted, and how."""

    towers: TwoStageConfig = field(default_factory=TwoStageConfig)
    tower_training: TowerTraining = field(default_factory=TowerTraining)
    ranker: RankerConfig = field(default_factory=RankerConfig)
    quotas: Mapping[str, int] = field(default_factory=lambda: dict(QUOTAS))
    ranker_customers: int = 10_000
    ranker_baskets: int = 8_000
    seed: int = 7

    def with_quotas(self, changes: Mapping[str, int]) -> FittingConfig:
        """The same with other quotas for some sources; 0 switches a source off.

        Raises:
            UserError: there is no such source, or none is left.
        """
        unknown = [name for name in changes if name not in SOURCES]
        if unknown:
            raise UserError(f"there is no candidate source {unknown[0]!r}; expected one of {', '.join(SOURCES)}")
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
class TowerPart:
    """The trained towers, as they propose candidates."""

    model: TwoStageModel
    content: npt.NDArray[np.float32]  # [n, content_dim]
    query_tower: ServedQueryTower

    def item_vectors(self, snapshot: Snapshot) -> npt.NDArray[np.float32]:
        """Candidate embeddings as of the snapshot's morning, [n, dim]."""
        return item_vectors(self.model, self.content, candidate_numeric(snapshot.articles))

    def head_logits(
        self, query: npt.NDArray[np.float32], candidate: npt.NDArray[np.float32], score: npt.NDArray[np.float32]
    ) -> npt.NDArray[np.float32]:
        """The ranking head on pairs of embeddings [m, dim] and retrieval scores [m] -> [m]."""
        logits: npt.NDArray[np.float32] = self.model.head(query, candidate, score).numpy()
        return logits


@dataclass(frozen=True)
class Fitted:
    """Everything of one release that was learned, and the rows that the ranker learned from."""

    towers: TowerPart
    ranker: ServedRanker
    rows: RankingSet
    chances: Mapping[str, npt.NDArray[np.float32]]  # source -> how often it is right at each place


def fit(
    snapshots: Sequence[Snapshot],
    catalogue: Catalogue,
    purchases: PurchaseLog,
    vocabularies: Mapping[str, Mapping[str, int]],
    config: FittingConfig,
) -> Fitted:
    """Train the towers on all snapshots and the ranker on candidates of the last of them."""
    towers = fit_towers(snapshots, catalogue, vocabularies, config)
    return fit_ranker(snapshots, towers, purchases, vocabularies, config)


def fit_towers(
    snapshots: Sequence[Snapshot],
    catalogue: Catalogue,
    vocabularies: Mapping[str, Mapping[str, int]],
    config: FittingConfig,
) -> TowerPart:
    """Train the towers alone."""
    pairs = make_training_set(snapshots, vocabularies, np.random.default_rng(config.seed))
    sizes = [len(vocabularies[name]) for name in QUERY_CATEGORIES]
    model = train_towers(pairs, snapshots, catalogue.content, sizes, config.towers, config.tower_training)
    content = content_vectors(model)
    return TowerPart(model, content, ServedQueryTower(model, content))


def fit_ranker(
    snapshots: Sequence[Snapshot],
    towers: TowerPart,
    purchases: PurchaseLog,
    vocabularies: Mapping[str, Mapping[str, int]],
    config: FittingConfig,
) -> Fitted:
    """Train the ranker on candidates of the last snapshots, as sources with these towers propose them."""
    rng = np.random.default_rng(config.seed)
    columns = ranking_feature_names(tuple(config.quotas))

    cases = ranking_cases(snapshots, config.ranker_customers, rng)
    chances = fit_chances(cases, towers, purchases, vocabularies, config.quotas)

    def rows_of(cases: Sequence[Snapshot], negatives: int, baskets: bool) -> RankingSet:
        mornings = (
            retrieve_as_of(snapshot, towers, purchases, vocabularies, config.quotas, chances) for snapshot in cases
        )
        customers = sum(len(snapshot.customers) for snapshot in cases)
        return make_ranking_set(mornings, customers, negatives, rng, only_new_products=baskets)

    rows = real = rows_of(cases, config.ranker.negatives_per_customer, baskets=False)
    baskets = basket_cases(snapshots, [snapshot.day for snapshot in cases], config.ranker_baskets, rng)
    if baskets:
        # Half as many negatives: there are many of these, and all are of the easier kind.
        known = rows_of(baskets, config.ranker.negatives_per_customer // 2, baskets=True)
        rows = join_baskets(rows, known, columns)
    model = train_ranker(rows, config.ranker)
    # Strangers and cut baskets teach the order; the chances are to be those of the customers who are served by it.
    calibrate(model, real, real.features[:, columns.index("days_since_last_purchase")] < NEVER_DAYS)
    return Fitted(towers, ServedRanker(model, len(columns)), rows, chances)


def fit_chances(
    snapshots: Sequence[Snapshot],
    towers: TowerPart,
    purchases: PurchaseLog,
    vocabularies: Mapping[str, Mapping[str, int]],
    quotas: Mapping[str, int],
) -> dict[str, npt.NDArray[np.float32]]:
    """How often each source was right at each place, for customers with history."""

    def answers() -> Iterator[Answer]:
        for snapshot in snapshots:
            regulars = snapshot.take(np.flatnonzero(snapshot.warm))
            retrieval = retrieve_as_of(regulars, towers, purchases, vocabularies, quotas)
            for case in range(len(regulars.customers)):
                candidates = collect(retrieval.question(case), retrieval.quotas, most=None)
                wanted = regulars.targets.articles[slice(*regulars.targets.offsets[case : case + 2])]
                yield candidates.ranks, np.isin(candidates.positions, wanted)

    return fit_hit_chances(tuple(quotas), answers())


def retrieve_as_of(
    snapshot: Snapshot,
    towers: TowerPart,
    purchases: PurchaseLog,
    vocabularies: Mapping[str, Mapping[str, int]],
    quotas: Mapping[str, int],
    chances: Mapping[str, npt.NDArray[np.float32]] | None = None,
) -> Retrieval:
    """The sources as a release of that morning holds them: fitted to purchases before the snapshot's day.

    Args:
        quotas: how many articles each source may propose.
        chances: of each source, from ``fit_chances``; without them a large union is cut by quota.
    """
    config = towers.model.config
    known = purchases.before(snapshot.day)
    snapshot = replace(snapshot, articles=snapshot.articles.with_affinities(known))
    index = ItemIndex(towers.item_vectors(snapshot), float(towers.model.temperature), config.prior_weight)
    index.set_units(slice(None), snapshot.articles.units_3d)
    embeddings = towers.query_tower.embeddings(query_inputs(snapshot.customers, vocabularies))
    fitted: dict[str, Callable[[], CandidateSource]] = {
        "bought_again": BoughtAgainSource,
        "same_product": lambda: SameProductSource(snapshot.articles),
        "bought_together": lambda: BoughtTogetherSource.fit(known, len(snapshot.articles)),
        "tower": lambda: AnsweredTowerSource(index, snapshot.customers, embeddings, quotas["tower"]),
        "similar_picture": lambda: SimilarPictureSource.fit(towers.model.images, snapshot.articles),
        "department_trend": department_trend,
        "index_group_trend": index_group_trend,
        "age_trend": AgeTrendSource,
        "trending": lambda: TrendingSource.fit(known, len(snapshot.articles)),
        "cold_articles": lambda: ColdArticlesSource(index),
    }
    asked = [Quota(fitted[name](), limit, chances[name] if chances else None) for name, limit in quotas.items()]
    return Retrieval(snapshot, index, asked, embeddings)


def basket_cases(
    snapshots: Sequence[Snapshot], days: Sequence[int], customers: int, rng: np.random.Generator
) -> list[Snapshot]:
    """Cut baskets of the ranker's days, at most so many in all; nothing where there are none to cut."""
    chosen = [snapshot for snapshot in snapshots if snapshot.day in days]
    cut = [split_baskets(snapshot, customers // len(chosen), rng) for snapshot in chosen]
    return [snapshot for snapshot in cut if snapshot.customers]


def ranking_cases(snapshots: Sequence[Snapshot], customers: int, rng: np.random.Generator) -> list[Snapshot]:
    """Draw the ranker's customers from the latest days: of each day those with history, and as many without.

    Strangers have to be many: with a few, the ranker reads into their rows what it learned of regulars, and ranks them
    worse than popularity does. In a young log, where most are strangers, a day gives at least a fifth of all cases.

    The first day is left out where there are others: what its neighbours and affinities are fitted to is too little
    for it to look like a day that is served. (On H&M's second day alone or both before the third: LightGBM's MAP@12 on
    the third is .170 or .161.)
    """
    cases: list[Snapshot] = []
    share_of_a_day = customers // 5
    for snapshot in reversed(snapshots[1:] or snapshots):
        if customers <= 0:
            break
        warm = rng.permutation(np.flatnonzero(snapshot.warm))[:customers]
        strangers = min(max(len(warm), share_of_a_day), customers - len(warm))
        cold = rng.permutation(np.flatnonzero(~snapshot.warm))[:strangers]
        cases.append(snapshot.take(np.sort(np.concatenate([warm, cold]))))
        customers -= len(warm) + len(cold)
    return cases[::-1]
