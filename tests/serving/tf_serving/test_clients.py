"""The lean clients against a model server, and what importing them costs."""

import asyncio
import subprocess
import sys

import grpc
import numpy as np
import pytest

from serving.tf_serving.model_status import ModelStatusClient, State, VersionStatus
from serving.tf_serving.prediction import PredictionClient
from tests.serving.blocking_predictions import BlockingPredictions
from tests.serving.model_server_world import World
from tests.serving.saved_models import half_plus


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    world = World(folder, folder)
    for version in (1, 2):
        half_plus(folder / "m" / str(version), version)
    labels = 'model_version_policy { all {} } version_labels { key: "stable" value: 1 }'
    world.start(world.config(world.model("m", labels)), allow_version_labels_for_unavailable_models=True)
    world.until("m", {2: "AVAILABLE", 1: "AVAILABLE"})
    yield world
    world.stop()


X = {"x": np.array([0, 2], np.float32)}


@pytest.mark.parametrize(("which", "version"), [({}, 2), ({"version": 1}, 1), ({"label": "stable"}, 1)])
def test_a_prediction_is_by_version_label_or_newest(served, which, version):
    answered_by, outputs = BlockingPredictions(served.channel).predict("m", X, **which)
    assert answered_by == version
    np.testing.assert_array_equal(outputs["y"], [version, version + 1])

    async def ask():
        async with grpc.aio.insecure_channel(served.address) as channel:
            return await PredictionClient(channel).predict("m", X, outputs=["y"], timeout_s=10, **which)

    np.testing.assert_array_equal(asyncio.run(ask())["y"], [version, version + 1])


def test_both_clients_tell_which_version_a_label_stands_for(served):
    async def ask():
        async with grpc.aio.insecure_channel(served.address) as channel:
            return await PredictionClient(channel).served_version("m", "stable", timeout_s=10)

    assert asyncio.run(ask()) == ModelStatusClient(served.channel).served_version("m", "stable", timeout_s=10) == 1


def test_errors_carry_the_servers_status(served):
    with pytest.raises(grpc.RpcError) as caught:
        BlockingPredictions(served.channel).predict("m", X, label="nope")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "Unrecognized servable version label: nope"


def test_the_status_client_lists_versions_and_an_unknown_model_has_none(served):
    client = ModelStatusClient(served.channel)
    assert client.versions("m") == [VersionStatus(2, State.AVAILABLE), VersionStatus(1, State.AVAILABLE)]
    assert client.version("m", 1) == VersionStatus(1, State.AVAILABLE)
    assert client.version("m", 9) is None
    assert client.versions("zzz") == []


def test_the_clients_and_the_rollout_import_neither_tensorflow_nor_its_serving_package():
    program = (
        "import sys, serving.tf_serving.prediction, serving.tf_serving.model_status, serving.rollout.rollout\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'tensorflow', 'tensorflow_serving', 'pandas'}))"
    )
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
