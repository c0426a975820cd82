"""A model server in the test's own process, with the official client and base paths in a temporary folder."""

import shutil
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import text_format
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)
from tensorflow_serving.config import model_server_config_pb2

from serving.model_server.server import ModelServer, ServerOptions
from tests.serving.saved_models import eventually

State = get_model_status_pb2.ModelVersionStatus.State
POLL_SECONDS = 0.05


class World:
    """A model server in this process and the official client, over base paths in a temporary folder."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder = folder
        self.models = models
        self.config_file = folder / "models.config"
        self.server: ModelServer | None = None

    def start(self, config: str | None = None, **options: Any) -> None:
        if config is not None:
            self.write_config(config)
        options = {
            "port": 0,
            "model_config_file": self.config_file,
            "model_config_file_poll_wait_seconds": 0,
            "file_system_poll_wait_seconds": POLL_SECONDS,
            **options,
        }
        server = ModelServer(ServerOptions(**options))
        self.address = f"127.0.0.1:{server.start()}"
        self.channel = grpc.insecure_channel(self.address)
        self.server = server
        self.prediction = prediction_service_pb2_grpc.PredictionServiceStub(self.channel)
        self.model_service = model_service_pb2_grpc.ModelServiceStub(self.channel)

    def stop(self) -> None:
        if self.server is not None:
            self.channel.close()
            self.server.stop(0)

    def put(self, model: str, version: int) -> None:
        """Publish half_plus_<version> as a version, the way a rollout does: complete from the first moment."""
        target = self.folder / model / str(version)
        partial = self.folder / f"{model}-{version}.partial"
        target.parent.mkdir(exist_ok=True)
        shutil.copytree(self.models / f"half_plus_{version}", partial)
        partial.rename(target)

    def model(self, name: str, rest: str = "") -> str:
        return f'config {{ name: "{name}" base_path: "{self.folder / name}" model_platform: "tensorflow" {rest} }}'

    def config(self, *models: str) -> str:
        return f"model_config_list {{ {' '.join(models)} }}"

    def write_config(self, text: str) -> None:
        partial = self.config_file.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(self.config_file)

    def reload(self, config: str) -> None:
        parsed = text_format.Parse(config, model_server_config_pb2.ModelServerConfig())
        self.model_service.HandleReloadConfigRequest(
            model_management_pb2.ReloadConfigRequest(config=parsed), timeout=20
        )

    def spec(self, name: str, version: int | None = None, label: str | None = None) -> model_pb2.ModelSpec:
        spec = model_pb2.ModelSpec(name=name)
        if version is not None:
            spec.version.value = version
        if label is not None:
            spec.version_label = label
        return spec

    def predict(self, name: str = "m", version: int | None = None, label: str | None = None) -> float:
        """The model's answer to x = 0, which is its version where ``put`` published it."""
        request = predict_pb2.PredictRequest(model_spec=self.spec(name, version, label))
        request.inputs["x"].CopyFrom(tensor(1, [1], float_val=[0]))
        return self.prediction.Predict(request, timeout=20).outputs["y"].float_val[0]

    def states(self, name: str = "m") -> dict[int, str]:
        """State by version in the order of the answer."""
        request = get_model_status_pb2.GetModelStatusRequest(model_spec=self.spec(name))
        answer = self.model_service.GetModelStatus(request, timeout=20)
        return {status.version: State.Name(status.state) for status in answer.model_version_status}

    def until(self, name: str, states: dict[int, str]) -> None:
        eventually(lambda: self.states(name) == states)


def tensor(dtype: int, shape: list[int], **values: object) -> tensor_pb2.TensorProto:
    made = tensor_pb2.TensorProto(dtype=dtype, **values)
    for size in shape:
        made.tensor_shape.dim.add(size=size)
    return made
