"""Stage 3: the customer as a point in the space of the articles, by the release's query tower."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.ranking.query_features import query_inputs
from serving.release.reader import Release
from serving.retrieval.customer import Customer
from serving.tf_serving.prediction import PredictionClient

MODEL = "query_tower"


async def embed_query(models: PredictionClient, release: Release, customer: Customer) -> npt.NDArray[np.float32]:
    """The query embedding, [d].

    Raises:
        grpc.aio.AioRpcError: the model server refuses or is away.
        ValueError: what it gave is no embedding of this release.
    """
    inputs = query_inputs([customer], release.query_vocabularies)
    outputs = await models.predict(MODEL, inputs.tensors(), version=release.number, outputs=("query_embedding",))
    embedding = outputs["query_embedding"]
    if embedding.shape != (1, release.index.dim) or not np.isfinite(embedding).all():
        raise ValueError(f"query_tower gave {embedding.shape}, expected finite numbers of {(1, release.index.dim)}")
    return embedding[0].astype(np.float32, copy=False)
