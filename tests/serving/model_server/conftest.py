from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from tests.serving.model_server_world import World
from tests.serving.saved_models import half_plus


@pytest.fixture
def refused() -> Callable[[Callable[[], object]], tuple[grpc.StatusCode, str]]:
    """Status code and message of a call that must fail."""

    def status_of(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
        with pytest.raises(grpc.RpcError) as caught:
            call()
        return caught.value.code(), caught.value.details()

    return status_of


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """half_plus_1 ... half_plus_4, made once."""
    folder = tmp_path_factory.mktemp("saved-models")
    for version in (1, 2, 3, 4):
        half_plus(folder / f"half_plus_{version}", version)
    return folder


@pytest.fixture
def world(tmp_path: Path, models: Path) -> Iterator[World]:
    world = World(tmp_path, models)
    yield world
    world.stop()
