"""Promotions and rollbacks of a model server process under requests."""

import threading

import grpc
import numpy as np
import pytest

from infra.local.model_server import ModelServer
from serving.rollout.rollout import promote, rollback, stage
from serving.tf_serving.model_status import ModelStatusClient
from tests.serving.blocking_predictions import BlockingPredictions
from tests.serving.rollout_world import settings_for, write_bundle
from tests.serving.saved_models import eventually


@pytest.fixture(scope="module")
def process(tmp_path_factory):
    folder = tmp_path_factory.mktemp("var")
    with ModelServer.start(folder / "models", folder / "logs") as server:
        yield server


@pytest.fixture(scope="module")
def settings(process, half_plus_models):
    folder = process.data_dir.parent
    for release, model in half_plus_models.items():
        write_bundle(folder / "releases", release, model)
    settings = settings_for(folder, process.address)
    stage(settings, 1, say=lambda _: None)
    promote(settings, 1, say=lambda _: None)
    return settings


class Caller(threading.Thread):
    """Asks as fast as it can, by label or as a gateway does: looks the label up, then asks all models by number."""

    def __init__(self, address, stop, by_label):
        super().__init__()
        self._address, self._stop_asking, self._by_label = address, stop, by_label
        self.seen = []
        self.failure = None

    def run(self):
        x = {"x": np.zeros(1, np.float32)}
        with grpc.insecure_channel(self._address) as channel:
            client, status = BlockingPredictions(channel), ModelStatusClient(channel)
            try:
                while not self._stop_asking.is_set():
                    if self._by_label:
                        version, outputs = client.predict("ranker", x, label="stable")
                        assert outputs["y"][0] == version
                        self.seen.append(version)
                        continue
                    release = status.served_version("ranker", "stable", timeout_s=10)
                    answers = {client.predict(model, x, version=release)[1]["y"][0] for model in self.MODELS}
                    assert answers == {release}
                    self.seen.append(release)
            except Exception as failure:
                self.failure = failure

    MODELS = ("query_tower", "candidate_tower", "ranker")


def test_no_call_fails_during_three_promotions_and_rollbacks(process, settings):
    stop = threading.Event()
    callers = [Caller(process.address, stop, by_label) for by_label in (True, False)]
    for caller in callers:
        caller.start()

    def seen_by_all(release):
        counts = [len(caller.seen) for caller in callers]
        eventually(
            lambda: all(
                caller.failure or release in caller.seen[count:] for caller, count in zip(callers, counts, strict=True)
            )
        )

    try:
        for release in (2, 3, 4):
            stage(settings, release, say=lambda _: None)
            promote(settings, release, say=lambda _: None)
            seen_by_all(release)
            seen_by_all(rollback(settings, say=lambda _: None).stable)
            promote(settings, release, say=lambda _: None)
            seen_by_all(release)
    finally:
        stop.set()
        for caller in callers:
            caller.join()
    for caller in callers:
        assert caller.failure is None
        assert caller.seen[0] == 1
        assert caller.seen[-1] == 4
