"""The shop on a past morning, as a release of that morning would hold it: what candidates are proposed from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from serving.ranking.query_features import query_inputs
from serving.retrieval.articles import ArticleTable
from serving.retrieval.candidates import Quota
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.purchase_log import PurchaseLog
from serving.retrieval.sources.bought_again import BoughtAgainSource
from serving.retrieval.sources.bought_together import BoughtTogetherSource
from serving.retrieval.sources.cold_articles import ColdArticlesSource
from serving.retrieval.sources.same_product import SameProductSource
from serving.retrieval.sources.similar_picture import SimilarPictureSource
from serving.retrieval.sources.source import CandidateSource
from serving.retrieval.sources.trending import AgeTrendSource, TrendingSource, department_trend, index_group_trend
from towers.data.catalogue import Catalogue
from towers.data.ranking_set import AnsweredTowerSource, Retrieval
from towers.data.snapshot import Snapshot
from towers.training.fitted_towers import TowerPart
from towers.training.taste_fitting import DIM, fit_tastes


@dataclass(frozen=True)
class Shop:
    """What all mornings have in common."""

    catalogue: Catalogue
    purchases: PurchaseLog
    vocabularies: Mapping[str, Mapping[str, int]]  # of the query tower's categories


@dataclass(frozen=True)
class Morning:
    """All that does not depend on the towers, fitted to purchases before the day: made once for all that ask."""

    articles: ArticleTable  # with affinities and tastes
    sources: Mapping[str, CandidateSource]

    @classmethod
    def fit(cls, snapshot: Snapshot, shop: Shop, names: Collection[str], taste_dim: int) -> Morning:
        """Fit the named sources.

        Args:
            shop: purchases of the day or later are not looked at.
            names: of sources; those by the towers are left to ``retrieve``.
            taste_dim: length of a latent taste, 0 for none.
        """
        known, catalogue = shop.purchases.before(snapshot.day), shop.catalogue
        articles = snapshot.articles.with_affinities(known)
        if taste_dim:
            articles = replace(articles, tastes=fit_tastes(known, articles, catalogue.columns, taste_dim))
        fitted: dict[str, Callable[[], CandidateSource]] = {
            "bought_again": BoughtAgainSource,
            "same_product": lambda: SameProductSource(articles),
            "bought_together": lambda: BoughtTogetherSource.fit(known, len(articles)),
            "similar_picture": lambda: SimilarPictureSource.fit(catalogue.content.images, articles),
            "department_trend": department_trend,
            "index_group_trend": index_group_trend,
            "age_trend": AgeTrendSource,
            "trending": lambda: TrendingSource.fit(known, len(articles)),
        }
        return cls(articles, {name: make() for name, make in fitted.items() if name in names})

    def retrieve(
        self,
        snapshot: Snapshot,
        towers: TowerPart,
        vocabularies: Mapping[str, Mapping[str, int]],
        quotas: Mapping[str, int],
        chances: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> Retrieval:
        """The sources and the towers, ready to propose.

        Args:
            snapshot: customers of this day.
            quotas: how many articles each source may propose.
            chances: of each source, from ``fit_chances``; without them a large union is cut by quota.
        """
        config = towers.model.config
        snapshot = replace(snapshot, articles=self.articles)
        index = ItemIndex(towers.item_vectors(snapshot), float(towers.model.temperature), config.prior_weight)
        index.set_units(slice(None), self.articles.units_3d)
        embeddings = towers.query_tower.embeddings(query_inputs(snapshot.customers, vocabularies))
        by_towers: dict[str, Callable[[], CandidateSource]] = {
            "tower": lambda: AnsweredTowerSource(index, snapshot.customers, embeddings, quotas["tower"]),
            "cold_articles": lambda: ColdArticlesSource(index),
        }
        sources = {**self.sources, **{name: make() for name, make in by_towers.items() if name in quotas}}
        asked = [Quota(sources[name], limit, chances[name] if chances else None) for name, limit in quotas.items()]
        return Retrieval(snapshot, index, asked, embeddings)


@dataclass(frozen=True)
class Mornings:
    """The mornings of one shop: each is fitted when it is first asked for, and kept for whatever asks for it later."""

    shop: Shop
    names: Collection[str]  # of sources
    taste_dim: int = DIM
    fitted: dict[int, Morning] = field(default_factory=dict)  # by day

    def of(self, snapshot: Snapshot) -> Morning:
        """That of the snapshot's day, whichever customers it holds."""
        if snapshot.day not in self.fitted:
            self.fitted[snapshot.day] = Morning.fit(snapshot, self.shop, self.names, self.taste_dim)
        return self.fitted[snapshot.day]

    def retrieve(
        self,
        snapshot: Snapshot,
        towers: TowerPart,
        quotas: Mapping[str, int],
        chances: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> Retrieval:
        """``Morning.retrieve`` on the snapshot's day."""
        return self.of(snapshot).retrieve(snapshot, towers, self.shop.vocabularies, quotas, chances)
