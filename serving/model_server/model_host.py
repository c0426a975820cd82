"""The models that the configuration asks for: labels, base paths, and which version a request means.

A configuration is the whole truth: a model left out is unloaded, and all labels of all models move in one step or not
at all (TensorFlow Serving's ``ServerCore::ReloadConfig``).
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path

import grpc
from tensorflow_serving.apis import model_pb2
from tensorflow_serving.config import model_server_config_pb2

from serving.model_server.loading.servable import Servable
from serving.model_server.loading.version_policy import versions_on_disk, wanted_versions
from serving.model_server.loading.versions import Versions, VersionState
from serving.model_server.serving_error import ServingError, failed_precondition, invalid_argument, not_found
from serving.tf_serving.model_status import State

log = logging.getLogger(__name__)

_LOOK_AT_FAILED_SECONDS = 1.0  # where base paths are not polled

Labels = Mapping[str, Mapping[str, int]]  # model -> label -> version


class ModelHost:
    """Keeps ``versions`` as the configuration wants them, and answers which version a ``ModelSpec`` names.

    Args:
        file_system_poll_seconds: how often base paths are looked through for new versions; 0: once a configuration.
        allow_labels_for_unavailable: a label that does not exist yet may name a version that does not serve yet.
    """

    def __init__(
        self, versions: Versions, *, file_system_poll_seconds: float, allow_labels_for_unavailable: bool
    ) -> None:
        self._versions = versions
        self._poll_seconds = file_system_poll_seconds
        self._allow_labels_for_unavailable = allow_labels_for_unavailable
        self._config: model_server_config_pb2.ModelServerConfig | None = None
        self._models: dict[str, model_server_config_pb2.ModelConfig] = {}
        self._labels: Labels = {}
        self._reloading = threading.Lock()
        self._stopping = threading.Event()
        self._loader = threading.Thread(target=self._keep_up, name="load-and-unload", daemon=True)

    @property
    def config(self) -> model_server_config_pb2.ModelServerConfig | None:
        """The configuration in force; None before the first."""
        return self._config

    def start(self) -> None:
        """Begin to load what is wanted, in the background."""
        self._loader.start()

    def stop(self) -> None:
        """End the background work; a load under way is waited for."""
        self._stopping.set()
        self._versions.work.set()
        if self._loader.is_alive():
            self._loader.join()

    # -- requests --------------------------------------------------------------------------------------------------

    def lease(self, spec: model_pb2.ModelSpec) -> AbstractContextManager[tuple[int, Servable]]:
        """Hold the version that ``spec`` names by number, by label or by neither (the newest available).

        Raises:
            ServingError: it has no name, an unknown label, or names what does not serve.
        """
        if not spec.name:
            raise invalid_argument("ModelSpec has no name specified.")
        choice = spec.WhichOneof("version_choice")
        if choice == "version_label":
            return self._versions.lease(spec.name, self._version_of_label(spec.name, spec.version_label))
        return self._versions.lease(spec.name, spec.version.value if choice == "version" else None)

    def _version_of_label(self, model: str, label: str) -> int:
        try:
            return self._labels[model][label]
        except KeyError:
            raise invalid_argument(f"Unrecognized servable version label: {label}") from None

    def states(self, spec: model_pb2.ModelSpec) -> list[VersionState]:
        """The version that ``spec`` names by number, else all that were ever heard of, newest first.

        Raises:
            ServingError: NOT_FOUND.
        """
        states = self._versions.states(spec.name)
        if spec.WhichOneof("version_choice") == "version":
            version = spec.version.value
            states = [state for state in states if state.version == version]
            if not states:
                raise not_found(f"Could not find version {version} of model {spec.name}")
        elif not states:
            raise not_found(f"Could not find any versions of model {spec.name}")
        return states

    # -- configuration ---------------------------------------------------------------------------------------------

    def reload(
        self, config: model_server_config_pb2.ModelServerConfig, give_up: Callable[[], bool] = lambda: False
    ) -> None:
        """Put ``config`` into force as a whole and wait until models that are new have a version serving.

        A new model of which nothing is on disk yet is not waited for (TensorFlow Serving would wait for ever).

        Args:
            give_up: asked while waiting; True ends the waiting, not the loading.

        Raises:
            ServingError: the configuration is refused and nothing of it applied, or a new model failed to load.
        """
        with self._reloading:
            new_models = self._apply(config)
        self._wait_for(new_models, give_up)

    def agree_with(
        self, read: Callable[[], model_server_config_pb2.ModelServerConfig | None], give_up: Callable[[], bool]
    ) -> bool:
        """Reload what ``read`` gives, unless it is in force already or None; returns whether anything was reloaded.

        It is read within the lock: whoever writes a file and then reloads it by RPC is not undone by an older reading.

        Raises:
            ServingError: as ``reload``.
        """
        with self._reloading:
            config = read()
            if config is None or config == self._config:
                return False
            new_models = self._apply(config)
        self._wait_for(new_models, give_up)
        return True

    def _wait_for(self, new_models: set[str], give_up: Callable[[], bool]) -> None:
        self._versions.wait_until_settled(new_models, give_up)
        failed = []
        for model in sorted(new_models):
            states = self._versions.states(model)
            errors = [(state.version, state.error) for state in states if state.error is not None]
            if errors and not any(state.state is State.AVAILABLE for state in states):
                version, error = errors[0]
                name = f"{{name: {model} version: {version}}}"
                failed.append(f"{{{name} due to error: {error.code.name}: {error.message}}}, ")
        if failed:
            message = f"{len(failed)} model(s) did not become available: {{{''.join(failed)}}}"
            raise ServingError(grpc.StatusCode.UNKNOWN, message)

    def _apply(self, config: model_server_config_pb2.ModelServerConfig) -> set[str]:
        kind = config.WhichOneof("config")
        if self._config is not None and kind != "model_config_list":
            raise failed_precondition(
                "Cannot transition to requested config. It is only legal to transition from one ModelConfigList to "
                "another."
            )
        if kind is None:
            return set()
        if kind != "model_config_list":
            raise invalid_argument("Missing custom_model_config_loader in ServerCore Options")
        models = _checked(config.model_config_list)
        labels = self._checked_labels(config.model_config_list)
        new_models = models.keys() - self._models.keys()
        self._labels = labels  # one assignment: no request sees half of a promotion
        self._models = models
        self._config = config
        self._poll_base_paths()
        return set(new_models)

    def _checked_labels(self, models: model_server_config_pb2.ModelConfigList) -> Labels:
        for model in models.config:
            available = {s.version for s in self._versions.states(model.name) if s.state is State.AVAILABLE}
            current = self._labels.get(model.name, {})
            for label, version in model.version_labels.items():
                moved = current.get(label, version) != version
                if version not in available and (moved or not self._allow_labels_for_unavailable):
                    raise failed_precondition(
                        f"Request to assign label to version {version} of model {model.name}, which is not currently "
                        "available for inference"
                    )
        return {model.name: dict(model.version_labels) for model in models.config}

    # -- the background thread -------------------------------------------------------------------------------------

    def _keep_up(self) -> None:
        while not self._stopping.is_set():
            if self._poll_seconds > 0:
                with self._reloading:
                    self._poll_base_paths()
            self._versions.retry_failed()
            self._versions.work.clear()
            while not self._stopping.is_set() and self._versions.advance():
                pass
            self._versions.work.wait(self._poll_seconds if self._poll_seconds > 0 else _LOOK_AT_FAILED_SECONDS)

    def _poll_base_paths(self) -> None:
        wanted: dict[str, Mapping[int, Path] | None] = {}
        for name, model in self._models.items():
            on_disk = versions_on_disk(Path(model.base_path))
            if on_disk is None:
                log.warning("could not find base path %s for model %s", model.base_path, name)
            wanted[name] = None if on_disk is None else wanted_versions(on_disk, model.model_version_policy)
        self._versions.want(wanted)


def _checked(models: model_server_config_pb2.ModelConfigList) -> dict[str, model_server_config_pb2.ModelConfig]:
    checked: dict[str, model_server_config_pb2.ModelConfig] = {}
    for model in models.config:
        if model.name in checked:
            raise invalid_argument(f"Illegal to list model {model.name} multiple times in config list")
        if not Path(model.base_path).is_absolute():
            raise invalid_argument(
                f"Expected model {model.name} to have an absolute path or URI; got base_path()={model.base_path}"
            )
        platform = model.model_platform or ("tensorflow" if model.model_type == 1 else "")
        if not platform:
            raise invalid_argument(
                "Illegal setting neither ModelServerConfig::model_type (deprecated) nor "
                "ModelServerConfig::model_platform."
            )
        if platform != "tensorflow":
            raise invalid_argument(f"Model {model.name} requests unsupported platform {platform}")
        checked[model.name] = model
    return checked
