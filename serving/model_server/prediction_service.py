"""``tensorflow.serving.PredictionService``: Predict and GetModelMetadata. The rest is UNIMPLEMENTED."""

from __future__ import annotations

import grpc
from tensorflow_serving.apis import get_model_metadata_pb2, predict_pb2, prediction_service_pb2_grpc

from serving.model_server.loading.servable import DEFAULT_SIGNATURE
from serving.model_server.model_host import ModelHost
from serving.model_server.serving_error import invalid_argument
from serving.model_server.tensors import write_tensor

_SIGNATURE_DEF = "signature_def"


class PredictionService(prediction_service_pb2_grpc.PredictionServiceServicer):
    """Runs models.

    Args:
        packed_outputs: answer with raw ``tensor_content`` instead of values one by one.
    """

    def __init__(self, host: ModelHost, packed_outputs: bool) -> None:
        self._host = host
        self._packed_outputs = packed_outputs

    def Predict(  # noqa: N802 - the service's name for it
        self, request: predict_pb2.PredictRequest, context: grpc.ServicerContext
    ) -> predict_pb2.PredictResponse:
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        spec = request.model_spec
        signature = spec.signature_name or DEFAULT_SIGNATURE
        response = predict_pb2.PredictResponse()
        with self._host.lease(spec) as (version, servable):
            for alias, array in servable.run(signature, request.inputs, request.output_filter):
                write_tensor(response.outputs[alias], array, self._packed_outputs)
        response.model_spec.name = spec.name
        response.model_spec.version.value = version
        response.model_spec.signature_name = signature
        return response

    def GetModelMetadata(  # noqa: N802
        self, request: get_model_metadata_pb2.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> get_model_metadata_pb2.GetModelMetadataResponse:
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        if not request.metadata_field:
            raise invalid_argument("GetModelMetadataRequest must specify at least one metadata_field")
        for field in request.metadata_field:
            if field != _SIGNATURE_DEF:
                raise invalid_argument(f"Metadata field {field} is not supported")
        response = get_model_metadata_pb2.GetModelMetadataResponse()
        with self._host.lease(request.model_spec) as (version, servable):
            response.metadata[_SIGNATURE_DEF].CopyFrom(servable.signature_map)
        response.model_spec.name = request.model_spec.name
        response.model_spec.version.value = version
        return response
