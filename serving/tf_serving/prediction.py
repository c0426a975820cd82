"""Predict, and which version a label stands for: what the gateway asks of TensorFlow Serving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import grpc
import grpc.aio

from serving.proto import tf_serving_pb2 as pb
from serving.tf_serving.tensors import Array, set_tensor, to_array

PREDICT = "/tensorflow.serving.PredictionService/Predict"

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


def metadata_call(channel: grpc.Channel | grpc.aio.Channel) -> Any:
    """The method that tells which version a label stands for: its answer names the version it is about."""
    return channel.unary_unary(
        "/tensorflow.serving.PredictionService/GetModelMetadata",
        pb.GetModelMetadataRequest.SerializeToString,
        pb.GetModelMetadataResponse.FromString,
    )


def metadata_request(model: str, label: str) -> pb.GetModelMetadataRequest:
    """Ask for the version behind ``label``."""
    return pb.GetModelMetadataRequest(model_spec=model_spec(model, label=label), metadata_field=["signature_def"])


class PredictionClient:
    """Predictions over an asyncio channel. Raises ``grpc.aio.AioRpcError`` with TensorFlow Serving's status."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._predict = channel.unary_unary(PREDICT, pb.PredictRequest.SerializeToString, pb.PredictResponse.FromString)
        self._metadata = metadata_call(channel)

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
        response = await self._predict(predict_request(model, inputs, version, label, outputs), timeout=timeout_s)
        return {name: to_array(tensor) for name, tensor in response.outputs.items()}

    async def served_version(self, model: str, label: str, timeout_s: float | None = None) -> int:
        """The version that answers for ``label``."""
        response = await self._metadata(metadata_request(model, label), timeout=timeout_s)
        return int(response.model_spec.version.value)
