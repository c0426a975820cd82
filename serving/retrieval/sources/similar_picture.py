"""What looks like the customer's purchases: nearest neighbours of the picture embeddings.

An article without a picture has the mean of its product type and colour, and so the neighbours of its kind: having a
picture is not what brings an article in.
"""

from __future__ import annotations

from typing import Self

import faiss
import numpy as np
import numpy.typing as npt

from serving.retrieval.sources.neighbours import NeighbourSource
from serving.retrieval.sources.searched_articles import on_sale
from serving.retrieval.sources.source import PastShop

NEIGHBOURS = 40
COSINE_SCALE = 0.1
"""A neighbour whose cosine is less by this much weighs 1/e of the other."""


class SimilarPictureSource(NeighbourSource):
    """What is on sale and looks like the customer's purchases."""

    name = "similar_picture"
    relation = "Looks like"

    @classmethod
    def fit(cls, past: PastShop) -> Self:
        """Find the neighbours of every article that was ever sold or is on sale, among what is on sale."""
        articles, images = past.articles, past.images
        offered = on_sale(articles)
        asked = np.union1d(offered, np.flatnonzero(np.nan_to_num(articles.sales_column("units")) > 0))
        neighbours = np.full((len(articles), NEIGHBOURS), -1, np.int32)
        weights = np.zeros((len(articles), NEIGHBOURS), np.float32)
        if offered.size:
            index = faiss.IndexFlatIP(images.shape[1])
            index.add(_unit(images[offered]))
            cosines, found = index.search(_unit(images[asked]), min(NEIGHBOURS + 1, offered.size))
            near = np.where(found >= 0, offered[found], -1).astype(np.int32)
            # An article is its own nearest; of several with one picture it need not come first.
            order = np.argsort(near == asked[:, None], axis=1, kind="stable")[:, :NEIGHBOURS]
            near, cosines = np.take_along_axis(near, order, 1), np.take_along_axis(cosines, order, 1)
            near[near == asked[:, None]] = -1
            neighbours[asked, : near.shape[1]] = near
            weights[asked, : near.shape[1]] = np.where(near >= 0, np.exp((cosines - 1.0) / COSINE_SCALE), 0.0)
        return cls(neighbours, weights)


def _unit(images: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    rows = images.astype(np.float32)
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
