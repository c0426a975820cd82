"""Stage 6: how likely the customer buys each candidate, by the release's ranker."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.release.reader import Release
from serving.tf_serving.prediction import PredictionClient

MODEL = "ranker"


async def rank(
    models: PredictionClient, release: Release, features: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """A probability for each row of ``features`` [m, f], [m].

    Raises:
        grpc.aio.AioRpcError: the model server refuses or is away.
        ValueError: what it gave are no scores of these candidates.
    """
    outputs = await models.predict(MODEL, {"features": features}, version=release.number, outputs=("score",))
    scores = outputs["score"]
    if scores.shape != (features.shape[0],) or not np.isfinite(scores).all():
        raise ValueError(f"ranker gave {scores.shape}, expected finite numbers of {(features.shape[0],)}")
    return scores.astype(np.float32, copy=False)
