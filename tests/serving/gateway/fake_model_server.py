"""A model server that does as it is told: slow, failing or wrong on demand. The real one has tests of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import grpc
import numpy as np

from serving.proto import tf_serving_pb2 as pb
from serving.tf_serving.tensors import set_tensor, to_array

Model = Callable[[Mapping[str, np.ndarray], int], Mapping[str, np.ndarray]]
"""Inputs and version to outputs."""


@dataclass
class FakeModelServer:
    """Answers Predict and GetModelMetadata for ``models``."""

    models: dict[str, Model]
    versions: set[int] = field(default_factory=lambda: {1})
    stable: int | None = 1
    held: dict[str, threading.Event] = field(default_factory=dict)  # model -> no answer until set
    failing: dict[str, grpc.StatusCode] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._server: grpc.Server | None = None
        self.port = 0

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen; again on the same port after :meth:`stop`."""
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        handlers = {
            "Predict": grpc.unary_unary_rpc_method_handler(
                self._predict, pb.PredictRequest.FromString, pb.PredictResponse.SerializeToString
            ),
            "GetModelMetadata": grpc.unary_unary_rpc_method_handler(
                self._metadata, pb.GetModelMetadataRequest.FromString, pb.GetModelMetadataResponse.SerializeToString
            ),
        }
        name = "tensorflow.serving.PredictionService"
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, handlers),))
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        self._server.start()

    def stop(self) -> None:
        for event in self.held.values():
            event.set()
        if self._server is not None:
            self._server.stop(0).wait()

    def hold(self, model: str) -> threading.Event:
        """Let the model hang until the event returned is set."""
        self.held[model] = threading.Event()
        return self.held[model]

    def _predict(self, request: pb.PredictRequest, context: grpc.ServicerContext) -> pb.PredictResponse:
        name, version = request.model_spec.name, request.model_spec.version.value
        self.asked.append((name, version))
        if name in self.held:
            self.held[name].wait(30)
        if name in self.failing:
            context.abort(self.failing[name], "told to fail")
        if version not in self.versions:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Servable not found for request: Specific({name}, {version})")
        outputs = self.models[name]({key: to_array(tensor) for key, tensor in request.inputs.items()}, version)
        response = pb.PredictResponse()
        response.model_spec.version.value = version
        for key, array in outputs.items():
            set_tensor(response.outputs[key], array)
        return response

    def _metadata(
        self, request: pb.GetModelMetadataRequest, context: grpc.ServicerContext
    ) -> pb.GetModelMetadataResponse:
        label = request.model_spec.version_label
        if label != "stable" or self.stable is None:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Unrecognized servable version label: {label}")
        response = pb.GetModelMetadataResponse()
        response.model_spec.version.value = self.stable or 0
        return response
