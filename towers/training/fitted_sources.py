"""The candidate sources as a release of a past day would hold them, fitted to purchases before it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from serving.ranking.query_features import query_inputs
from serving.retrieval.articles import ArticleTable
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.registry import SOURCES
from serving.retrieval.sources.source import CandidateSource, Quota
from towers.data.ranking_set import Retrieval
from towers.data.snapshot import Snapshot
from towers.data.training_data import Shop
from towers.training.counts.article_counts import with_counts
from towers.training.counts.past_shop import PastShop
from towers.training.factor_fitting import DIM, fit_latent_factors
from towers.training.fitted_towers import TowerPart


@dataclass(frozen=True)
class FittedSources:
    """All that does not depend on the towers, fitted to purchases before the day: made once for all that ask."""

    articles: ArticleTable  # with what purchases tell of them
    sources: Mapping[str, CandidateSource]

    @classmethod
    def fit(cls, snapshot: Snapshot, shop: Shop, names: Collection[str], latent_dim: int) -> FittedSources:
        """Fit the named sources.

        Args:
            shop: purchases of the day or later are not looked at.
            latent_dim: length of a latent taste, 0 for none.
        """
        known, catalogue = shop.purchases.before(snapshot.day), shop.catalogue
        articles = with_counts(snapshot.articles, known)
        if latent_dim:
            articles = replace(
                articles, latent_factors=fit_latent_factors(known, articles, catalogue.columns, latent_dim)
            )
        past = PastShop(articles, known, catalogue.content.images)
        return cls(articles, {source.name: source.fit(past) for source in SOURCES if source.name in names})

    def retrieve(
        self,
        snapshot: Snapshot,
        towers: TowerPart,
        vocabularies: Mapping[str, Mapping[str, int]],
        quotas: Mapping[str, int],
        precision: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> Retrieval:
        """The sources and the towers, ready to propose.

        Args:
            snapshot: customers of this day.
            quotas: how many articles each source may propose.
            precision: of each source, from ``fit_precision``; without it a large union is cut by quota.
        """
        config = towers.model.config
        snapshot = replace(snapshot, articles=self.articles)
        index = ItemIndex(towers.item_vectors(snapshot), float(towers.model.temperature), config.prior_weight)
        index.set_units(slice(None), self.articles.units_3d)
        embeddings = towers.query_tower.embeddings(query_inputs(snapshot.customers, vocabularies))
        asked = [
            Quota(self.sources[name], limit, precision[name] if precision else None) for name, limit in quotas.items()
        ]
        return Retrieval.of(snapshot, index, asked, embeddings)


@dataclass(frozen=True)
class FittedSourcesByDay:
    """Those of one shop's days: each is fitted when it is first asked for, and kept for whatever asks for it later."""

    shop: Shop
    names: Collection[str]  # of sources
    latent_dim: int = DIM
    fitted: dict[int, FittedSources] = field(default_factory=dict)

    def of(self, snapshot: Snapshot) -> FittedSources:
        """That of the snapshot's day, whichever customers it holds."""
        if snapshot.day not in self.fitted:
            self.fitted[snapshot.day] = FittedSources.fit(snapshot, self.shop, self.names, self.latent_dim)
        return self.fitted[snapshot.day]

    def retrieve(
        self,
        snapshot: Snapshot,
        towers: TowerPart,
        quotas: Mapping[str, int],
        precision: Mapping[str, npt.NDArray[np.float32]] | None = None,
    ) -> Retrieval:
        """``FittedSources.retrieve`` on the snapshot's day."""
        return self.of(snapshot).retrieve(snapshot, towers, self.shop.vocabularies, quotas, precision)
