"""The gateway on the real model server with real SavedModels, through a promotion."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.local.model_server import ModelServer
from serving.proto import recommender_pb2 as pb
from serving.ranking.query_features import QUERY_CATEGORIES, QUERY_NUMERIC
from serving.ranking.ranking_features import ranking_feature_names
from serving.retrieval.customer import RECENT_PURCHASES
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import article, wait_until
from tests.serving.gateway.test_recommend import degraded, ids


def save_models(base_dir: Path, version: int) -> None:
    """The world's query tower and ranker as SavedModels."""
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    import tensorflow as tf

    features = ranking_feature_names(world.SOURCES)
    units_column = features.index("article_30d_units_3d")

    class QueryTower(tf.Module):
        @tf.function(
            input_signature=[
                tf.TensorSpec((None, len(QUERY_NUMERIC)), tf.float32, "numeric"),
                tf.TensorSpec((None, len(QUERY_CATEGORIES)), tf.int32, "categories"),
                tf.TensorSpec((None, RECENT_PURCHASES), tf.int32, "recent"),
                tf.TensorSpec((None, RECENT_PURCHASES), tf.float32, "recent_age_days"),
            ]
        )
        def __call__(self, numeric, categories, recent, recent_age_days):
            return {"query_embedding": tf.gather(tf.constant(world.item_vectors()), tf.maximum(recent[:, 0], 0))}

    class Ranker(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((None, len(features)), tf.float32, "features")])
        def __call__(self, features):
            return {"score": float(version) * tf.exp((features[:, units_column] - world.ARTICLES) / 4)}

    models: dict[str, Any] = {"query_tower": QueryTower(), "ranker": Ranker()}
    for name, model in models.items():
        folder = base_dir / name / str(version)
        tf.saved_model.save(model, str(folder), signatures={"serving_default": model.__call__})


def write_config(base_dir: Path, stable: int) -> None:
    models = "".join(
        f'config {{ name: "{name}" base_path: "{base_dir / name}" model_platform: "tensorflow"'
        " model_version_policy { all {} }"
        f' version_labels {{ key: "stable" value: {stable} }} }}\n'
        for name in ("query_tower", "ranker")
    )
    (base_dir / "models.partial").write_text(f"model_config_list {{\n{models}}}\n")
    (base_dir / "models.partial").rename(base_dir / "models.config")


@pytest.fixture(scope="module")
def model_base_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    base_dir = tmp_path_factory.mktemp("models")
    for version in (1, 2):
        save_models(base_dir, version)
    write_config(base_dir, stable=1)
    return base_dir


def test_answers_are_those_of_the_saved_models_before_and_after_a_promotion(
    model_base_dir, settings, redis_client, tmp_path
):
    world.store_shop(redis_client)
    with ModelServer.start(model_base_dir, tmp_path) as server:
        settings = replace(settings, tf_serving_address=server.address)
        with world.gateway_thread(settings, world.fast_config()) as address, world.stub_of(address) as stub:

            def ask() -> pb.RecommendResponse:
                return stub.Recommend(pb.RecommendRequest(customer_id="known", count=40), timeout=5)

            answer = ask()
            assert degraded(answer) == set()
            assert (answer.release, ids(answer)[0]) == (1, article(1))
            expected = [np.exp((41 - int(shown.article_id) - world.ARTICLES) / 4) for shown in answer.articles]
            np.testing.assert_allclose([shown.score for shown in answer.articles], expected, rtol=1e-4)
            assert "tower" in {shown.source for shown in answer.articles}
            write_config(model_base_dir, stable=2)
            wait_until(lambda: ask().release == 2, 20)
            promoted = ask()
            assert degraded(promoted) == set()
            assert promoted.articles[0].score == pytest.approx(2.0)
