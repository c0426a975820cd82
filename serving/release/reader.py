"""A release as the gateway and the evaluation hold it: opened from its folder, without TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np

from infra.base.calendar import epoch_day
from infra.base.errors import UserError
from serving.ranking.query_features import QUERY_NUMERIC
from serving.ranking.ranking_features import ranking_feature_names
from serving.release.manifest import Manifest
from serving.retrieval.articles import ArticleTable
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.sources.registry import source_class
from serving.retrieval.sources.source import Quota


@dataclass(frozen=True)
class Release:
    """One release, ready to answer: its articles, index and candidate sources all belong together."""

    number: int
    manifest: Manifest
    articles: ArticleTable
    index: ItemIndex
    quotas: tuple[Quota, ...]
    query_vocabularies: dict[str, dict[str, int]]

    @property
    def as_of_day(self) -> int:
        """Days since 1970-01-01: the release knows purchases dated before it."""
        return epoch_day(date.fromisoformat(self.manifest.as_of))

    def refresh(self) -> None:
        """Work out anew what depends on live columns of the whole catalogue; from then on requests do not."""
        self.articles.refresh_totals()
        for quota in self.quotas:
            quota.source.refresh(self.articles)
        self.articles.is_followed = True

    @classmethod
    def open(cls, folder: Path) -> Release:
        """Open a bundle.

        Raises:
            UserError: it is missing, or was made for other features than this code computes.
        """
        manifest = Manifest.read(folder)
        _same("query features", manifest, manifest.query_numeric, QUERY_NUMERIC)
        names = ranking_feature_names(tuple(source.name for source in manifest.sources))
        _same("ranking features", manifest, manifest.ranking_features, names)
        articles = ArticleTable.load(folder / "articles")
        index = ItemIndex(np.load(folder / "index" / "item_vectors.npy"), manifest.temperature, manifest.prior_weight)
        index.set_units(slice(None), articles.units_3d)
        quotas = tuple(
            Quota(
                source_class(source.name).load(folder / "sources" / source.name, articles),
                source.limit,
                np.asarray(source.chances, np.float32) if source.chances else None,
            )
            for source in manifest.sources
        )
        vocabularies = {
            category: {value: index for index, value in enumerate(values)}
            for category, values in manifest.query_categories.items()
        }
        return cls(manifest.release, manifest, articles, index, quotas, vocabularies)


def _same(what: str, manifest: Manifest, trained: tuple[str, ...], computed: tuple[str, ...]) -> None:
    if trained != computed:
        differing = sorted(set(trained) ^ set(computed)) or ["their order"]
        raise UserError(
            f"release {manifest.release} was trained with other {what} than this version computes "
            f"(differing: {', '.join(differing[:5])}); serve it with the version that made it, or train anew"
        )
