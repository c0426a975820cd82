"""Writes a release bundle: all of it or nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from serving.release.manifest import MODELS, Manifest, hash_files
from serving.retrieval.articles import ArticleTable
from serving.retrieval.sources.source import Quota


@dataclass(frozen=True)
class ReleaseContent:
    """What goes into a bundle. The manifest's ``files`` are filled in while writing."""

    manifest: Manifest
    articles: ArticleTable
    item_vectors: npt.NDArray[np.float32]  # [n, d] L2-normalised, in the order of ``articles``
    quotas: Sequence[Quota]
    models: Mapping[str, Callable[[Path], None]]  # name -> writes a SavedModel into the folder given
    files: Mapping[str, Path]  # path in the bundle -> a file to copy there
    metrics: Mapping[str, Any]  # goes into metrics.json


def write_release(releases_dir: Path, content: ReleaseContent) -> Path:
    """Write ``releases_dir/<N>`` and return its path.

    Raises:
        UserError: the release exists already; releases never change.
        ValueError: models are missing, or vectors are not one of length 1 for each article.
    """
    number = content.manifest.release
    folder = releases_dir / str(number)
    if folder.exists():
        raise UserError(f"release {number} exists at {folder}; a release never changes, take the next number")
    if set(content.models) != set(MODELS):
        raise ValueError(f"a release holds the models {MODELS}, got {tuple(content.models)}")
    if content.item_vectors.shape[0] != len(content.articles):
        raise ValueError(f"{content.item_vectors.shape[0]} item vectors for {len(content.articles)} articles")
    lengths = np.linalg.norm(content.item_vectors, axis=1)
    if not np.allclose(lengths, 1.0, atol=1e-3):
        raise ValueError(
            f"item vectors have lengths from {lengths.min()} to {lengths.max()}; they must be L2-normalised"
        )
    partial = releases_dir / f".{number}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name, export in content.models.items():
        export(partial / "models" / name)
    (partial / "index").mkdir()
    np.save(partial / "index" / "item_vectors.npy", content.item_vectors.astype(np.float32))
    content.articles.save(partial / "articles")
    for quota in content.quotas:
        quota.source.save(partial / "sources" / quota.source.name)
    for name, path in content.files.items():
        target = partial / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    (partial / "metrics.json").write_text(json.dumps(content.metrics, indent=2) + "\n")
    replace(content.manifest, files=hash_files(partial)).write(partial)
    partial.rename(folder)
    return folder
