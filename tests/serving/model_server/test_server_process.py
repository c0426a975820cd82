"""`vitrine model-server` as a process: writes down its port, answers, ends cleanly."""

import os
import signal
import socket
import subprocess
import sys

import grpc
import numpy as np
import pytest

from infra.base.errors import UserError
from tests.serving.blocking_predictions import BlockingPredictions
from tests.serving.model_server_world import World
from tests.serving.saved_models import eventually


@pytest.fixture
def server(tmp_path, models):
    """The command over a model with a label, killed at the end of the test."""
    world = World(tmp_path, models)
    world.put("m", 1)
    world.write_config(world.config(world.model("m", 'version_labels { key: "stable" value: 1 }')))
    files = ["--model-config-file", str(world.config_file), "--port-file", str(tmp_path / "port")]
    options = ["--port", "0", *files, "--allow-version-labels-for-unavailable-models"]
    process = subprocess.Popen([sys.executable, "-P", "-m", "infra.cli", "model-server", *options])
    yield process
    process.kill()
    process.wait()


def test_it_answers_on_the_port_it_writes_and_ends_on_sigterm(server, tmp_path):
    eventually(lambda: (tmp_path / "port").exists() or server.poll() is not None, within_seconds=120)
    with grpc.insecure_channel(f"127.0.0.1:{(tmp_path / 'port').read_text().strip()}") as channel:
        _, outputs = BlockingPredictions(channel).predict("m", {"x": np.array([4], np.float32)}, label="stable")
        assert outputs["y"] == 3
    os.kill(server.pid, signal.SIGTERM)
    assert server.wait(30) == 0


def test_a_port_that_is_taken_is_an_error_that_says_so(world):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(UserError, match=f"127.0.0.1:{port} cannot be listened on.*--port"):
            world.start(port=port)
