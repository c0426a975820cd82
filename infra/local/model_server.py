"""The local model server: ``vitrine model-server``, which answers as TensorFlow Serving does."""

from __future__ import annotations

import sys
from pathlib import Path

from infra.local.server import Server

CONFIG_FILE_NAME = "models.config"
POLL_WAIT_SECONDS = 0.25
"""How often it looks for new versions and a changed file; TensorFlow Serving's default of 1 s is for slow disks."""


class ModelServer(Server):
    """Hosts what ``models.config`` in its data folder lists.

    Args:
        data_dir: the models' base paths and ``models.config``.
        log_dir: where ``model-server.log`` goes.
        port: the port to use; None takes a free one.
    """

    server_name = "model-server"
    ready_within_seconds = 120

    @property
    def config_path(self) -> Path:
        return self.data_dir / CONFIG_FILE_NAME

    def _command(self) -> list[str]:
        options = {
            "--port": str(self.port),
            "--model-config-file": str(self.config_path),
            "--model-config-file-poll-wait-seconds": str(POLL_WAIT_SECONDS),
            "--file-system-poll-wait-seconds": str(POLL_WAIT_SECONDS),
        }
        words = [word for option in options.items() for word in option]
        # A restart finds the file with labels in it, before any version is loaded.
        words.append("--allow-version-labels-for-unavailable-models")
        # Scores come as bytes: read one by one, four hundred take longer than the rest of the reply.
        words.append("--enable-serialization-as-tensor-content")
        return [sys.executable, "-P", "-m", "infra.cli", "model-server", *words]

    def _is_ready(self) -> bool:
        return self._listens() and answers_model_status(self.address)


def answers_model_status(address: str, timeout_seconds: float = 1) -> bool:
    """Whether a TensorFlow Serving is there: any answer to an empty question will do, a complaint as well.

    The messages of ``tensorflow_serving.apis`` would be in order here, but importing them imports TensorFlow.
    """
    import grpc

    with grpc.insecure_channel(address) as channel:
        ask = channel.unary_unary(
            "/tensorflow.serving.ModelService/GetModelStatus", request_serializer=bytes, response_deserializer=bytes
        )
        try:
            ask(b"", timeout=timeout_seconds)
        except grpc.RpcError as error:
            return error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
    return True
