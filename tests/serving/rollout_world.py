"""Release bundles whose three models answer with the release's number, and the rollout's view of them."""

import shutil
from pathlib import Path

from infra.base.settings import Settings
from serving.release.manifest import MODELS, Manifest, hash_files


def write_bundle(releases_dir: Path, release: int, saved_model: Path) -> Path:
    """A release as far as a rollout looks into it; every model is a copy of ``saved_model``."""
    folder = releases_dir / str(release)
    for model in MODELS:
        shutil.copytree(saved_model, folder / "models" / model)
    seal(folder, release)
    return folder


def seal(folder: Path, release: int) -> None:
    """Write the manifest over what the folder holds."""
    Manifest(
        release=release,
        as_of="2020-09-20",
        created_at="2020-09-20T00:00:00Z",
        seed=1,
        articles=0,
        embedding_dim=1,
        temperature=1.0,
        prior_weight=0.0,
        sources=(),
        query_numeric=(),
        query_categories={},
        ranking_features=(),
        image_backbone="",
        metrics={},
        files=hash_files(folder),
    ).write(folder)


def settings_for(folder: Path, address: str) -> Settings:
    return Settings(var_dir=folder, tf_serving_address=address)
