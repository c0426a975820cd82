"""The peer: the same answer as an engineer would first compose it, behind a gRPC server of its own.

Feast's SDK reads the customer and the candidates, FAISS finds the candidates, `tensorflow-serving-api` with
`make_tensor_proto` asks the model server. It knows one source and a third of the ranker's columns, and keeps no rules,
reasons or impressions: so it does less than the gateway.

    python -m tests.benchmarks.straight_composition RELEASE_FOLDER
"""

from __future__ import annotations

import sys
from concurrent import futures
from pathlib import Path

import faiss
import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

from feature_repo.schema import ARTICLE_ACTIVITY_30D, ARTICLE_SALES
from infra.base.settings import Settings
from serving.proto import recommender_pb2 as pb
from serving.proto import recommender_pb2_grpc
from serving.ranking.query_features import CUSTOMER_REFERENCES, QUERY_CATEGORIES, QUERY_NUMERIC
from serving.release.reader import Release
from serving.retrieval.customer import RECENT_PURCHASES
from tests.stock_feast import stock_feast

CANDIDATES, SHOWN = 200, 12
_VIEWS = (ARTICLE_SALES, ARTICLE_ACTIVITY_30D)
_ARTICLE = [f"{view.name}:{feature.name}" for view in _VIEWS for feature in view.features]


class StraightComposition(recommender_pb2_grpc.RecommenderServicer):
    def __init__(self, settings: Settings, release: Release) -> None:
        self._store, self._release = stock_feast(settings), release
        self._index = faiss.IndexFlatIP(release.index.dim)
        self._index.add(np.ascontiguousarray(release.index.vectors))
        self._models = prediction_service_pb2_grpc.PredictionServiceStub(
            grpc.insecure_channel(settings.tf_serving_address)
        )
        self._columns = len(release.manifest.ranking_features)

    def Recommend(self, request: pb.RecommendRequest, context: grpc.ServicerContext) -> pb.RecommendResponse:  # noqa: N802
        articles = self._release.articles
        customer = self._features(list(CUSTOMER_REFERENCES), "customer_id", [request.customer_id])
        embedding = self._predict("query_tower", self._query(customer), "query_embedding")
        _, found = self._index.search(embedding, CANDIDATES)
        ids = [articles.ids[position] for position in found[0]]
        rows = self._features(_ARTICLE, "article_id", ids)
        features = np.zeros((CANDIDATES, self._columns), np.float32)
        for column, reference in enumerate(_ARTICLE):
            values = rows[reference.replace(":", "__")]
            if isinstance(values[0], int | float | None):
                features[:, column] = [np.nan if value is None else value for value in values]
        scores = self._predict("ranker", {"features": features}, "score")
        best = np.argsort(-scores)[:SHOWN]
        return pb.RecommendResponse(
            articles=[pb.Recommendation(article_id=ids[place], score=scores[place]) for place in best],
            release=self._release.number,
        )

    def _features(self, references: list[str], entity: str, ids: list[str]) -> dict[str, list]:
        rows = [{entity: value} for value in ids]
        return self._store.get_online_features(references, rows, full_feature_names=True).to_dict()

    def _query(self, customer: dict[str, list]) -> dict[str, np.ndarray]:
        recent = np.full((1, RECENT_PURCHASES), -1, np.int32)
        positions = [
            self._release.articles.position.get(a, -1) for a in customer["customer_history__articles"][0] or ()
        ]
        recent[0, : len(positions[:RECENT_PURCHASES])] = positions[:RECENT_PURCHASES]
        numbers = [value[0] for value in customer.values() if isinstance(value[0], int | float)]
        numbers = (numbers + [np.nan] * len(QUERY_NUMERIC))[: len(QUERY_NUMERIC)]
        return {
            "numeric": np.array([numbers], np.float32),
            "categories": np.zeros((1, len(QUERY_CATEGORIES)), np.int32),
            "recent": recent,
            "recent_age_days": np.zeros((1, RECENT_PURCHASES), np.float32),
        }

    def _predict(self, model: str, inputs: dict[str, np.ndarray], output: str) -> np.ndarray:
        request = predict_pb2.PredictRequest()
        request.model_spec.name = model
        for name, values in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
        return tf.make_ndarray(self._models.Predict(request, timeout=10).outputs[output])


def main() -> None:
    settings = Settings.from_environment()
    server = grpc.server(futures.ThreadPoolExecutor(16))
    composition = StraightComposition(settings, Release.open(Path(sys.argv[1])))
    recommender_pb2_grpc.add_RecommenderServicer_to_server(composition, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listens on {port}", flush=True)
    server.wait_for_termination()


if __name__ == "__main__":
    main()
