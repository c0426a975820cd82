from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from infra.base.settings import Settings
from tests.serving.model_server_world import World
from tests.serving.rollout_world import settings_for, write_bundle
from tests.serving.saved_models import half_plus


@dataclass
class Shop:
    """Releases 1 to 4 as bundles, a model server, and what the rollout said."""

    settings: Settings
    server: World
    said: list[str] = field(default_factory=list)


@pytest.fixture(scope="session")
def half_plus_models(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    folder = tmp_path_factory.mktemp("half-plus")
    return {release: half_plus(folder / str(release), release) for release in (1, 2, 3, 4)}


@pytest.fixture
def shop(tmp_path: Path, half_plus_models: dict[int, Path]) -> Iterator[Shop]:
    world = World(tmp_path / "models", tmp_path)
    world.folder.mkdir()
    world.start(model_config_file_poll_wait_seconds=0.05, allow_version_labels_for_unavailable_models=True)
    for release, model in half_plus_models.items():
        write_bundle(tmp_path / "releases", release, model)
    yield Shop(settings_for(tmp_path, world.address), world)
    world.stop()
