"""The catalogue of a release: the article table that is served and the content that the towers read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from serving.retrieval.articles import ACTIVITY_COLUMNS, CATEGORIES, SALES_COLUMNS, ArticleTable
from towers.data.article_terms import article_terms
from towers.data.content_columns import content_columns
from towers.data.point_in_time import PointInTime
from towers.data.preprocessing import make_vocabulary
from towers.models.article_encoder import IMAGE_DIM, ArticleContent


@dataclass(frozen=True)
class Catalogue:
    """All articles of a release in index order; sales and activity of ``table`` are still missing."""

    table: ArticleTable
    content: ArticleContent

    @cached_property
    def columns(self) -> npt.NDArray[np.float32]:
        """The content as plain numbers, [n, columns]."""
        return content_columns(self.content)


def read_catalogue(point_in_time: PointInTime, tables_dir: Path, day: int) -> Catalogue:
    """Read the catalogue as of a day through Feast.

    Args:
        point_in_time: Feast's joins.
        tables_dir: ``articles.parquet`` tells which articles there are.
        day: days since 1970-01-01.

    Raises:
        UserError: there are no articles.
    """
    path = tables_dir / "articles.parquet"
    if not path.is_file():
        raise UserError(f"{path} is missing; write it with `vitrine ingest DATA_DIR`")
    query = "SELECT article_id FROM read_parquet($path) ORDER BY article_id"
    ids = [row[0] for row in duckdb.execute(query, {"path": str(path)}).fetchall()]
    if not ids:
        raise UserError(f"{path} holds no articles; ingest a catalogue with at least one")
    metadata = point_in_time.catalogue(ids, day)
    images = point_in_time.images(ids, day, IMAGE_DIM)
    return make_catalogue(ids, metadata, images)


def make_catalogue(
    ids: Sequence[str], metadata: dict[str, list[str | None]], images: npt.NDArray[np.float32]
) -> Catalogue:
    """Encode metadata, words and pictures.

    Args:
        ids: article ids in index order.
        metadata: columns of the view ``article_catalog``, each in the order of ``ids``.
        images: embeddings after PCA, [n, IMAGE_DIM]; zeros where there is none.
    """
    vocabularies = {name: make_vocabulary(metadata[name]) for name in CATEGORIES}
    codes = [_codes(metadata[name], vocabularies[name]) for name in CATEGORIES]
    # An article without a product code is a product of its own.
    products = [code or article_id for code, article_id in zip(metadata["product_code"], ids, strict=True)]
    size = len(ids)
    table = ArticleTable(
        ids=ids,
        names=np.array([(name or "").encode() for name in metadata["prod_name"]]),
        product=np.unique(products, return_inverse=True)[1].astype(np.int32),
        categories=np.stack(codes, axis=1),
        vocabularies=vocabularies,
        sales=np.full((size, len(SALES_COLUMNS)), np.nan, np.float32),
        activity=np.full((size, len(ACTIVITY_COLUMNS)), np.nan, np.float32),
        in_stock=np.ones(size, np.bool_),
    )
    scale = float(images.std()) or 1.0
    content = ArticleContent(
        categories=table.categories,
        category_sizes=tuple(len(vocabularies[name]) for name in CATEGORIES),
        terms=article_terms(metadata["prod_name"], metadata["detail_desc"]),
        # One number for all: the leading components keep their larger share.
        images=(images / scale).astype(np.float16),
        image_scale=scale,
    )
    return Catalogue(table, content)


def _codes(values: Sequence[str | None], vocabulary: Sequence[str]) -> npt.NDArray[np.int32]:
    index = {value: code for code, value in enumerate(vocabulary)}
    return np.fromiter((index.get(value or "", 0) for value in values), np.int32, len(values))
