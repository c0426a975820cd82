"""The server put together: models, their configuration file, and the gRPC services in front."""

from __future__ import annotations

import logging
import threading
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from tensorflow_serving.apis import model_service_pb2_grpc, prediction_service_pb2_grpc

from infra.base.errors import UserError
from serving.model_server.config_file import ConfigFile
from serving.model_server.interceptor import REFUSING_THREADS, CallInterceptor
from serving.model_server.loading.load_retries import RetryPolicy
from serving.model_server.loading.servable import Servable
from serving.model_server.loading.versions import Versions
from serving.model_server.loading.warmup import warm_up
from serving.model_server.model_host import ModelHost
from serving.model_server.model_service import ModelService
from serving.model_server.prediction_service import PredictionService

log = logging.getLogger(__name__)

_GRPC_OPTIONS = (
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
    ("grpc.so_reuseport", 0),
)
_SERVICES = ("", "tensorflow.serving.PredictionService", "tensorflow.serving.ModelService")


@dataclass(frozen=True)
class ServerOptions:
    """TensorFlow Serving's flags of the same names. Its ``grpc_max_threads`` is four per CPU: too few on two cores.

    ``port`` 0 takes a free one.
    """

    host: str = "127.0.0.1"
    port: int = 8500
    model_config_file: Path | None = None
    model_config_file_poll_wait_seconds: float = 1
    file_system_poll_wait_seconds: float = 1
    max_num_load_retries: int = 5
    load_retry_interval_micros: int = 60_000_000
    grpc_max_threads: int = 64
    allow_version_labels_for_unavailable_models: bool = False
    enable_serialization_as_tensor_content: bool = False


def load_warm(path: Path) -> Servable:
    """Load a version and run the warm-up requests that it brings along."""
    servable = Servable(path)
    try:
        requests = warm_up(servable, path)
    except Exception:
        servable.close()
        raise
    if requests:
        log.info("ran %d warm-up requests of %s", requests, path)
    return servable


class ModelServer:
    """A running server: ``start`` returns once it answers, with the models of its first configuration loaded."""

    def __init__(self, options: ServerOptions) -> None:
        self._options = options
        retries = RetryPolicy(
            options.max_num_load_retries,
            options.load_retry_interval_micros,
            quiet_seconds=max(options.file_system_poll_wait_seconds, 0),
        )
        self.host = ModelHost(
            Versions(load_warm, retries),
            file_system_poll_seconds=options.file_system_poll_wait_seconds,
            allow_labels_for_unavailable=options.allow_version_labels_for_unavailable_models,
        )
        self._stopping = threading.Event()
        self._follower: threading.Thread | None = None
        self._health = health.HealthServicer()
        self._server = grpc.server(
            futures.ThreadPoolExecutor(options.grpc_max_threads + REFUSING_THREADS, thread_name_prefix="call"),
            interceptors=(CallInterceptor(options.grpc_max_threads),),
            options=_GRPC_OPTIONS,
        )
        prediction = PredictionService(self.host, options.enable_serialization_as_tensor_content)
        prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(prediction, self._server)
        model_service_pb2_grpc.add_ModelServiceServicer_to_server(ModelService(self.host), self._server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)

    def start(self) -> int:
        """Load the first configuration, open the port and return its number.

        Raises:
            UserError: the configuration is refused, or the port is taken.
        """
        options = self._options
        self.host.start()
        try:
            if options.model_config_file is not None:
                self._start_following(ConfigFile(options.model_config_file, self.host))
            port = self._bind()
        except UserError:
            self.stop(0)
            raise
        for service in _SERVICES:
            self._health.set(service, health_pb2.HealthCheckResponse.SERVING)
        self._server.start()
        return port

    def _start_following(self, config_file: ConfigFile) -> None:
        config_file.load_first()
        every_seconds = self._options.model_config_file_poll_wait_seconds
        if every_seconds > 0:
            self._follower = threading.Thread(
                target=config_file.follow, args=(every_seconds, self._stopping), name="config-file", daemon=True
            )
            self._follower.start()

    def _bind(self) -> int:
        address = f"{self._options.host}:{self._options.port}"
        try:
            port: int = self._server.add_insecure_port(address)
        except RuntimeError:
            port = 0
        if port == 0:
            raise UserError(f"{address} cannot be listened on; is another server there? Choose another with --port")
        return port

    def stop(self, grace_seconds: float = 5) -> None:
        """Take no more calls, let those under way end, and unload."""
        self._stopping.set()
        self._health.enter_graceful_shutdown()
        self._server.stop(grace_seconds).wait()
        self.host.stop()
        if self._follower is not None:
            self._follower.join()
