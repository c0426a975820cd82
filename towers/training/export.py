"""SavedModels of a release: raw packed inputs in, everything fitted inside, warm-up requests beside the graph."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.retrieval.customer import RECENT_PURCHASES
from towers.models.article_encoder import IMAGE_DIM, TERMS_PER_ARTICLE
from towers.models.ranker import ServedRanker
from towers.models.two_stage import TwoStageModel
from towers.training.tower_trainer import ServedQueryTower

QUERY_BATCHES = (1, 8)
RANKER_BATCHES = (1, 100, 200, 300, 400, 500)
CANDIDATE_BATCHES = (1, 64)


class ServedCandidateTower(tf.Module):
    """The candidate tower on raw inputs, for articles that are newer than the release's index."""

    def __init__(self, model: TwoStageModel, image_scale: float) -> None:
        super().__init__()
        self._tower = model.candidate_tower
        self._image_scale = image_scale
        columns, categories = self._tower.input_widths
        self.serve = tf.function(
            self._serve,
            input_signature=[
                tf.TensorSpec([None, columns], tf.float32, name="numeric"),
                tf.TensorSpec([None, categories], tf.int32, name="categories"),
                tf.TensorSpec([None, IMAGE_DIM], tf.float32, name="image"),
                tf.TensorSpec([None, TERMS_PER_ARTICLE], tf.int32, name="terms"),
            ],
        )

    def _serve(self, numeric: tf.Tensor, categories: tf.Tensor, image: tf.Tensor, terms: tf.Tensor) -> dict[str, Any]:
        image = image / self._image_scale
        inputs = {"numeric": numeric, "categories": categories, "image": image, "terms": terms}
        return {"candidate_embedding": self._tower(inputs)}


def export_query_tower(served: ServedQueryTower, folder: Path) -> None:
    """Write the query tower with warm-up requests for ``QUERY_BATCHES``."""
    numeric, categories = served.input_widths

    def example(batch: int) -> dict[str, npt.NDArray]:
        return {
            "numeric": np.full((batch, numeric), np.nan, np.float32),
            "categories": np.zeros((batch, categories), np.int32),
            "recent": np.full((batch, RECENT_PURCHASES), -1, np.int32),
            "recent_age_days": np.zeros((batch, RECENT_PURCHASES), np.float32),
        }

    _export(served, "query_tower", folder, [example(batch) for batch in QUERY_BATCHES])


def export_candidate_tower(served: ServedCandidateTower, folder: Path) -> None:
    """Write the candidate tower with warm-up requests for ``CANDIDATE_BATCHES``."""

    def example(batch: int) -> dict[str, npt.NDArray]:
        inputs = _inputs(served).items()
        return {name: np.zeros((batch, spec.shape[1]), spec.dtype.as_numpy_dtype) for name, spec in inputs}

    _export(served, "candidate_tower", folder, [example(batch) for batch in CANDIDATE_BATCHES])


def export_ranker(served: ServedRanker, folder: Path) -> None:
    """Write the ranker with warm-up requests for ``RANKER_BATCHES``."""
    columns = _inputs(served)["features"].shape[1]
    _export(
        served, "ranker", folder, [{"features": np.zeros((batch, columns), np.float32)} for batch in RANKER_BATCHES]
    )


def _inputs(served: Any) -> dict[str, tf.TensorSpec]:
    return {spec.name: spec for spec in served.serve.input_signature}


def _export(served: Any, model: str, folder: Path, examples: list[Mapping[str, npt.NDArray]]) -> None:
    tf.saved_model.save(served, str(folder), signatures={"serving_default": served.serve})
    requests = folder / "assets.extra" / "tf_serving_warmup_requests"
    requests.parent.mkdir(parents=True, exist_ok=True)
    with tf.io.TFRecordWriter(str(requests)) as writer:
        for example in examples:
            writer.write(_warm_up_record(model, example).SerializeToString())


def _warm_up_record(model: str, example: Mapping[str, npt.NDArray]) -> prediction_log_pb2.PredictionLog:
    request = predict_pb2.PredictRequest()
    request.model_spec.name = model
    request.model_spec.signature_name = "serving_default"
    for name, value in example.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
    return prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
