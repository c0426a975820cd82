"""Predict, and which version a label stands for: what the gateway asks of TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import grpc
import grpc.aio

from serving.proto import tf_serving_pb2 as pb
from serving.tf_serving.tensors import Array, set_tensor, to_array

_PREDICT = "/tensorflow.serving.PredictionService/Predict"
_GET_MODEL_METADATA = "/tensorflow.serving.PredictionService/GetModelMetadata"

# A candidate tower's answer over the whole catalogue passes gRPC's customary 4 MiB.
CHANNEL_OPTIONS = (("grpc.max_receive_message_length", -1), ("grpc.max_send_message_length", -1))


def model_spec(model: str, version: int | None = None, label: str | None = None) -> pb.ModelSpec:
    """Name a model by version, by label, or by neither: then the newest version that is available answers."""
    spec = pb.ModelSpec(name=model)
    if version is not None:
        spec.version.value = version
    elif label is not None:
        spec.version_label = label
    return spec


def predict_request(
    model: str,
    inputs: Mapping[str, Array],
    version: int | None = None,
    label: str | None = None,
    outputs: Sequence[str] = (),
) -> pb.PredictRequest:
    """Build the request; ``outputs`` names the outputs wanted, none for all."""
    request = pb.PredictRequest(model_spec=model_spec(model, version, label), output_filter=outputs)
    for name, array in inputs.items():
        set_tensor(request.inputs[name], array)
    return request


@dataclass(frozen=True)
class Prediction:
    """The outputs by name, and the version that computed them."""

    version: int
    outputs: dict[str, Array]


def _prediction(response: pb.PredictResponse) -> Prediction:
    return Prediction(
        version=response.model_spec.version.value,
        outputs={name: to_array(tensor) for name, tensor in response.outputs.items()},
    )


def _metadata_request(model: str, version: int | None, label: str | None) -> pb.GetModelMetadataRequest:
    return pb.GetModelMetadataRequest(model_spec=model_spec(model, version, label), metadata_field=["signature_def"])


def _methods(channel: grpc.Channel | grpc.aio.Channel) -> tuple[Any, Any]:
    predict = channel.unary_unary(_PREDICT, pb.PredictRequest.SerializeToString, pb.PredictResponse.FromString)
    metadata = channel.unary_unary(
        _GET_MODEL_METADATA, pb.GetModelMetadataRequest.SerializeToString, pb.GetModelMetadataResponse.FromString
    )
    return predict, metadata


class PredictionClient:
    """Predictions over an asyncio channel. Raises ``grpc.aio.AioRpcError`` with TensorFlow Serving's status."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._predict, self._metadata = _methods(channel)

    async def predict(
        self,
        model: str,
        inputs: Mapping[str, Array],
        *,
        version: int | None = None,
        label: str | None = None,
        outputs: Sequence[str] = (),
        timeout_s: float | None = None,
    ) -> dict[str, Array]:
        """Run the model's ``serving_default`` signature and return its outputs by name."""
        request = predict_request(model, inputs, version, label, outputs)
        return _prediction(await self._predict(request, timeout=timeout_s)).outputs

    async def served_version(
        self, model: str, *, label: str | None = None, version: int | None = None, timeout_s: float | None = None
    ) -> int:
        """The version that answers for ``label`` (or for neither label nor version: the newest available)."""
        response = await self._metadata(_metadata_request(model, version, label), timeout=timeout_s)
        return int(response.model_spec.version.value)


class BlockingPredictionClient:
    """The same over a plain channel, for commands and tests. Raises ``grpc.RpcError``."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._predict, self._metadata = _methods(channel)

    def predict(
        self,
        model: str,
        inputs: Mapping[str, Array],
        *,
        version: int | None = None,
        label: str | None = None,
        outputs: Sequence[str] = (),
        timeout_s: float | None = None,
    ) -> Prediction:
        """Run the model's ``serving_default`` signature."""
        request = predict_request(model, inputs, version, label, outputs)
        return _prediction(self._predict(request, timeout=timeout_s))

    def served_version(
        self, model: str, *, label: str | None = None, version: int | None = None, timeout_s: float | None = None
    ) -> int:
        """The version that answers for ``label`` (or for neither label nor version: the newest available)."""
        response = self._metadata(_metadata_request(model, version, label), timeout=timeout_s)
        return int(response.model_spec.version.value)
