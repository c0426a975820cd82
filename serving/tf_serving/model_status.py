"""What a rollout asks of TensorFlow Serving: versions, their states and labels, and to take a new configuration."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import grpc

from serving.proto import tf_serving_pb2 as pb
from serving.tf_serving.prediction import metadata_call, metadata_request

_GET_MODEL_STATUS = "/tensorflow.serving.ModelService/GetModelStatus"
_RELOAD_CONFIG = "/tensorflow.serving.ModelService/HandleReloadConfigRequest"


class State(IntEnum):
    """The life of a version: it serves only while AVAILABLE; END with an error means that loading failed."""

    UNKNOWN = 0
    START = 10
    LOADING = 20
    AVAILABLE = 30
    UNLOADING = 40
    END = 50


@dataclass(frozen=True)
class VersionStatus:
    """One version of a model; ``error`` is "" unless its loading failed."""

    version: int
    state: State
    error: str = ""


class ModelStatusClient:
    """Asks over a plain channel. Raises ``grpc.RpcError``."""

    def __init__(self, channel: grpc.Channel) -> None:
        self._status = channel.unary_unary(
            _GET_MODEL_STATUS, pb.GetModelStatusRequest.SerializeToString, pb.GetModelStatusResponse.FromString
        )
        self._reload = channel.unary_unary(
            _RELOAD_CONFIG, pb.ReloadConfigRequest.SerializeToString, pb.ReloadConfigResponse.FromString
        )
        self._metadata = metadata_call(channel)

    def versions(self, model: str, timeout_s: float | None = None) -> list[VersionStatus]:
        """Every version the server knows, newest first; none for a model it has never heard of."""
        request = pb.GetModelStatusRequest(model_spec=pb.ModelSpec(name=model))
        try:
            response = self._status(request, timeout=timeout_s)
        except grpc.RpcError as error:
            if error.code() == grpc.StatusCode.NOT_FOUND:
                return []
            raise
        return [
            VersionStatus(status.version, State(status.state), status.status.error_message)
            for status in response.model_version_status
        ]

    def version(self, model: str, version: int, timeout_s: float | None = None) -> VersionStatus | None:
        """The state of one version, None while the server has never heard of it."""
        return next((status for status in self.versions(model, timeout_s) if status.version == version), None)

    def served_version(self, model: str, label: str, timeout_s: float | None = None) -> int:
        """The version that answers for ``label``."""
        return int(self._metadata(metadata_request(model, label), timeout=timeout_s).model_spec.version.value)

    def reload(self, config: pb.ModelServerConfig, timeout_s: float | None = None) -> None:
        """Make ``config`` the server's whole configuration: models left out are unloaded, labels move together.

        Returns when models that are new to the server have a version available.

        Raises:
            grpc.RpcError: FAILED_PRECONDITION for a label moved to a version that is not available; then nothing of
                the configuration is applied.
        """
        self._reload(pb.ReloadConfigRequest(config=config), timeout=timeout_s)
