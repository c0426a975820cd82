"""Predictions over a plain channel, as no part of the system makes them: gateways have an asyncio one."""

from typing import Any

import grpc

from serving.proto import tf_serving_pb2 as pb
from serving.tf_serving.prediction import PREDICT, predict_request
from serving.tf_serving.tensors import to_array


class BlockingPredictions:
    def __init__(self, channel: grpc.Channel) -> None:
        self._predict = channel.unary_unary(PREDICT, pb.PredictRequest.SerializeToString, pb.PredictResponse.FromString)

    def predict(self, model: str, inputs: dict[str, Any], **which: Any) -> tuple[int, dict[str, Any]]:
        """The version that answered, and its outputs by name."""
        response = self._predict(predict_request(model, inputs, **which), timeout=10)
        return response.model_spec.version.value, {name: to_array(tensor) for name, tensor in response.outputs.items()}
