"""``tensorflow.serving.ModelService``: GetModelStatus and HandleReloadConfigRequest."""

from __future__ import annotations

import grpc
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2, model_service_pb2_grpc

from serving.model_server.model_host import ModelHost
from serving.model_server.serving_error import invalid_argument


class ModelService(model_service_pb2_grpc.ModelServiceServicer):
    """Tells what is loaded and takes new configurations."""

    def __init__(self, host: ModelHost) -> None:
        self._host = host

    def GetModelStatus(  # noqa: N802 - the service's name for it
        self, request: get_model_status_pb2.GetModelStatusRequest, context: grpc.ServicerContext
    ) -> get_model_status_pb2.GetModelStatusResponse:
        if not request.HasField("model_spec"):
            raise invalid_argument("Missing ModelSpec")
        response = get_model_status_pb2.GetModelStatusResponse()
        for state in self._host.states(request.model_spec):
            status = response.model_version_status.add(version=state.version, state=int(state.state))
            status.status.error_code = state.error.number if state.error else 0
            status.status.error_message = state.error.message if state.error else ""
        return response

    def HandleReloadConfigRequest(  # noqa: N802
        self, request: model_management_pb2.ReloadConfigRequest, context: grpc.ServicerContext
    ) -> model_management_pb2.ReloadConfigResponse:
        if request.config.WhichOneof("config") != "model_config_list":
            raise invalid_argument(
                "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is "
                "currently supported"
            )
        self._host.reload(request.config, give_up=lambda: not context.is_active())
        response = model_management_pb2.ReloadConfigResponse()
        response.status.error_code = 0
        return response
