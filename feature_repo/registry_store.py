"""Feast's registry file where Vitrine keeps it, replaced as a whole so that no reader ever sees half of it."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from feast.infra.registry.file import FileRegistryStore
from feast.protos.feast.core.Registry_pb2 import Registry
from feast.repo_config import RegistryConfig

import feature_repo.stream_views  # noqa: F401 - whatever opens the registry shall write it right
from feature_repo.loaded_intervals import record_what_was_loaded
from infra.base.settings import Settings

STORE_TYPE = "feature_repo.registry_store.VitrineRegistryStore"


class VitrineRegistryStore(FileRegistryStore):
    """A registry file; without a path in the configuration, the one of the environment's settings."""

    def __init__(self, registry_config: RegistryConfig, repo_path: Path | None) -> None:
        path = registry_config.path or str(Settings.from_environment().registry_path)
        self._filepath: Path
        super().__init__(registry_config.model_copy(update={"path": path}), repo_path)

    def _write_registry(self, registry_proto: Registry) -> None:
        record_what_was_loaded(registry_proto)
        path = self._filepath
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".registry-", dir=path.parent) as folder:
            self._filepath = Path(folder) / path.name
            try:
                super()._write_registry(registry_proto)
                os.replace(self._filepath, path)
            finally:
                self._filepath = path
