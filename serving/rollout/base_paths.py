"""TensorFlow Serving's base paths: ``<model>/<release>/`` holds a SavedModel, whole from the moment it is seen."""

from __future__ import annotations

import filecmp
import os
import shutil
from collections.abc import Set
from pathlib import Path

from infra.base.durable import sync_folder
from infra.base.errors import UserError
from serving.release.manifest import MODELS


def publish(bundle: Path, model_base_dir: Path, release: int, loaded: bool) -> None:
    """Copy the models of a release bundle to where the model server looks for them. What is there already stays.

    Args:
        loaded: the release is part of the configuration, so that what is there must not change.

    Raises:
        UserError: the release is loaded with other content.
    """
    for model in MODELS:
        source, target = bundle / "models" / model, model_base_dir / model / str(release)
        if target.exists():
            if _same_files(source, target):
                continue
            if loaded:
                raise UserError(
                    f"release {release} is loaded from {target}, whose content is not that of {source}; a release "
                    "never changes: train under the next number"
                )
            shutil.rmtree(target)
        _copy(source, target)


def remove(model_base_dir: Path, model: str, release: int) -> None:
    """Take a version away that is not loaded any more."""
    shutil.rmtree(model_base_dir / model / str(release), ignore_errors=True)


def leftovers(model_base_dir: Path, keep: Set[int]) -> list[tuple[str, int]]:
    """Versions on disk, as (model, release), that are not among ``keep``."""
    return [
        (model, int(folder.name))
        for model in MODELS
        for folder in sorted((model_base_dir / model).glob("*"))
        if folder.name.isdigit() and int(folder.name) not in keep
    ]


def _copy(source: Path, target: Path) -> None:
    """Copy under a name that is no version, flush to disk, then rename: the server never sees half a model."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(source, partial)
    for path in partial.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())
    sync_folder(partial)
    partial.rename(target)
    sync_folder(target.parent)


def _same_files(one: Path, other: Path) -> bool:
    names = [{path.relative_to(root) for path in root.rglob("*") if path.is_file()} for root in (one, other)]
    return names[0] == names[1] and all(filecmp.cmp(one / name, other / name, shallow=False) for name in names[0])
