"""Which versions in a model's base path are to be served: the latest, all, or specific ones."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from tensorflow_serving.config import file_system_storage_path_source_pb2

VersionPolicy: TypeAlias = file_system_storage_path_source_pb2.FileSystemStoragePathSourceConfig.ServableVersionPolicy

_GRAPH_FILES = ("saved_model.pb", "saved_model.pbtxt")


def versions_on_disk(base_path: Path) -> dict[int, Path] | None:
    """The version folders below ``base_path``, None when the base path itself is not there.

    A version is a folder whose name is a number and that holds a SavedModel: one that is still being copied, or cannot
    be looked into, is left alone until its graph is there.
    """
    try:
        folders = sorted(base_path.iterdir())
    except OSError:
        return None
    return {
        int(folder.name): folder
        for folder in folders
        if folder.name.isascii() and folder.name.isdigit() and _has_graph(folder)
    }


def _has_graph(folder: Path) -> bool:
    return any(os.path.isfile(folder / name) for name in _GRAPH_FILES)  # unlike Path.is_file it never raises


def wanted_versions(on_disk: dict[int, Path], policy: VersionPolicy) -> dict[int, Path]:
    """Choose by policy; without one the single latest version is served."""
    choice = policy.WhichOneof("policy_choice")
    if choice == "all":
        return on_disk
    if choice == "specific":
        return {version: on_disk[version] for version in policy.specific.versions if version in on_disk}
    latest = sorted(on_disk, reverse=True)[: max(policy.latest.num_versions, 1)]
    return {version: on_disk[version] for version in latest}
