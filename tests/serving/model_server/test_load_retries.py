"""A version that could not be loaded, for whatever reason, is loaded without help when the reason is gone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.model_server.loading.load_retries import RetryPolicy
from serving.model_server.loading.version_policy import VersionPolicy, versions_on_disk, wanted_versions
from serving.model_server.loading.versions import Load, Versions
from serving.model_server.loading.warmup import WARMUP_FILE
from serving.model_server.server import load_warm
from serving.model_server.serving_error import failed_precondition
from serving.tf_serving.model_status import State
from tests.serving.saved_models import half_plus

POLICY = RetryPolicy(max_num_load_retries=3, load_retry_interval_micros=60_000_000, quiet_seconds=1)
ALL = VersionPolicy(all=VersionPolicy.All())


class Server:
    """The server's loader, driven by hand: its polls, its clock."""

    def __init__(self, folder: Path, load: Load = load_warm, policy: RetryPolicy = POLICY) -> None:
        self.folder = folder
        self.now_s = 0.0
        self.tries: list[str] = []
        self._load = load
        self.versions = Versions(self._counted, policy, clock=lambda: self.now_s)

    def _counted(self, path: Path):
        self.tries.append(f"{path.parent.name}/{path.name}")
        return self._load(path)

    def poll(self, times: int = 1, seconds: float = 1.0) -> None:
        """What the server does every second."""
        for _ in range(times):
            self.now_s += seconds
            models = sorted(self.folder.iterdir())
            self.versions.want({model.name: wanted_versions(versions_on_disk(model) or {}, ALL) for model in models})
            self.versions.retry_failed()
            while self.versions.advance():
                pass

    def state(self, number: int, model: str = "m") -> State:
        return {state.version: state.state for state in self.versions.states(model)}[number]

    def error(self, number: int, model: str = "m") -> str:
        error = {state.version: state.error for state in self.versions.states(model)}[number]
        return error.message if error is not None else ""


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A version with everything that one can have: variables, an asset and warm-up requests."""
    folder = half_plus(tmp_path_factory.mktemp("whole") / "1", 1)
    path = folder / WARMUP_FILE
    path.parent.mkdir()
    request = predict_pb2.PredictRequest()
    request.inputs["x"].CopyFrom(tf.make_tensor_proto(np.array([1], np.float32)))
    log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
    with tf.io.TFRecordWriter(str(path)) as writer:
        writer.write(log.SerializeToString())
    return folder


def files_of(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def copy_half(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    content = source.read_bytes()
    target.write_bytes(content[: len(content) // 2])


def copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)  # with its old modification time


@given(data=st.data())
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_copy_in_any_order_with_polls_in_between_ends_available(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    server = Server(tmp_path_factory.mktemp("models"))
    target = server.folder / "m" / "1"
    for file in data.draw(st.permutations(files_of(whole))):
        copy_half(whole / file, target / file)
        server.poll(data.draw(st.integers(0, 3)))
        copy(whole / file, target / file)
        server.poll(data.draw(st.integers(0, 3)))
    server.poll(3)
    assert server.state(1) is State.AVAILABLE
    assert server.error(1) == ""


@pytest.mark.parametrize("late", ["variables/variables.index", "variables/variables.data-00000-of-00001"])
def test_the_reason_is_told_until_the_rest_of_the_copy_has_come(whole: Path, tmp_path: Path, late: str) -> None:
    server = Server(tmp_path)
    shutil.copytree(whole, tmp_path / "m" / "1", ignore=lambda _, names: {Path(late).name} & set(names))
    server.poll(10)
    assert server.state(1) is State.END
    assert "variables" in server.error(1)
    assert server.tries == ["m/1"]  # nothing has changed: no use in trying every second
    copy(whole / late, tmp_path / "m" / "1" / late)
    server.poll(2)
    assert server.state(1) is State.AVAILABLE


def break_warm_up(folder: Path) -> None:
    (folder / WARMUP_FILE).write_bytes(b"this is no TFRecord at all")


def take_warm_up_away(folder: Path) -> None:
    (folder / WARMUP_FILE).unlink()


def put_whole_again(folder: Path, whole: Path) -> None:
    shutil.rmtree(folder)
    shutil.copytree(whole, folder)


@pytest.mark.parametrize("mend", ["take the warm-up file away", "put the whole folder there again"])
def test_a_version_whose_warm_up_was_broken_is_loaded_when_that_is_mended(
    whole: Path, tmp_path: Path, mend: str
) -> None:
    server = Server(tmp_path)
    folder = tmp_path / "m" / "1"
    shutil.copytree(whole, folder)
    break_warm_up(folder)
    server.poll(5)
    assert "TFRecord" in server.error(1)
    if mend == "take the warm-up file away":
        take_warm_up_away(folder)
    else:
        put_whole_again(folder, whole)  # between two polls: the version has never been away
    server.poll(2)
    assert server.state(1) is State.AVAILABLE


def test_a_copy_under_way_is_left_alone_until_it_rests(whole: Path, tmp_path: Path) -> None:
    server = Server(tmp_path)
    folder = tmp_path / "m" / "1"
    copy(whole / "saved_model.pb", folder / "saved_model.pb")
    data = folder / "variables" / "variables.data-00000-of-00001"
    data.parent.mkdir()
    for size in range(50):
        data.write_bytes(bytes(size))
        server.poll(seconds=0.5)
    assert len(server.tries) == 1
    for size in range(50, 70):  # it never rests: tried now and then all the same
        data.write_bytes(bytes(size))
        server.poll(seconds=30)
    assert 5 <= len(server.tries) <= 12


def fails(times: int) -> Load:
    """A load that fails for a reason outside of the folder, such as memory."""
    left = [times]

    def load(path: Path) -> Any:
        if left[0] > 0:
            left[0] -= 1
            raise failed_precondition("no memory")
        return load_warm(path)

    return load


def test_a_reason_outside_of_the_folder_is_waited_for(whole: Path, tmp_path: Path) -> None:
    server = Server(tmp_path, fails(3))
    shutil.copytree(whole, tmp_path / "m" / "1")
    server.poll(59)
    assert len(server.tries) == 1
    server.poll(181)
    assert len(server.tries) == 4
    assert server.state(1) is State.AVAILABLE


def test_a_version_that_fails_for_ever_is_tried_as_often_as_asked_for(whole: Path, tmp_path: Path) -> None:
    server = Server(tmp_path, fails(1_000))
    shutil.copytree(whole, tmp_path / "m" / "1")
    server.poll(1_000)
    assert len(server.tries) == 1 + POLICY.max_num_load_retries
    assert server.error(1) == "no memory"
    (tmp_path / "m" / "1" / "saved_model.pb").touch()
    server.poll(1_000)
    assert len(server.tries) == 2 * (1 + POLICY.max_num_load_retries)
    (tmp_path / "m" / "1").rename(tmp_path / "aside")
    server.folder = tmp_path  # ``aside`` is a model without versions
    server.poll(10)
    (tmp_path / "aside").rename(tmp_path / "m" / "1")
    server.poll(1_000)
    assert len(server.tries) == 3 * (1 + POLICY.max_num_load_retries)


def test_no_retries_means_one_try_of_the_same_contents(whole: Path, tmp_path: Path) -> None:
    server = Server(tmp_path, fails(1_000), RetryPolicy(0, -1, 1))
    shutil.copytree(whole, tmp_path / "m" / "1")
    server.poll(100)
    assert len(server.tries) == 1


def test_broken_versions_hold_up_no_other(whole: Path, tmp_path: Path) -> None:
    server = Server(tmp_path)
    for broken in ("a/1", "m/2", "m/3"):
        shutil.copytree(whole, tmp_path / broken)
        break_warm_up(tmp_path / broken)
    shutil.copytree(whole, tmp_path / "m" / "1")
    server.poll()
    assert server.state(1) is State.AVAILABLE
    server.poll(300)
    shutil.copytree(whole, tmp_path / "z" / "1")
    server.poll()
    assert server.state(1, "z") is State.AVAILABLE
    assert server.state(1) is State.AVAILABLE
    assert {server.tries.count(broken) for broken in ("a/1", "m/2", "m/3")} == {1 + POLICY.max_num_load_retries}
    take_warm_up_away(tmp_path / "m" / "3")
    server.poll(2)
    assert (server.state(3), server.state(2)) == (State.AVAILABLE, State.END)


def test_a_folder_that_changes_while_it_is_loaded_is_loaded_again(whole: Path, tmp_path: Path) -> None:
    changes = ["half", "whole"]

    def load(path: Path) -> Any:
        if changes:
            (path / "assets").mkdir(exist_ok=True)
            (path / "assets" / "vocabulary").write_text(changes.pop())
        return load_warm(path)

    server = Server(tmp_path, load)
    shutil.copytree(whole, tmp_path / "m" / "1")
    server.poll()
    assert server.error(1) == f"{tmp_path / 'm' / '1'} changed while it was loaded"
    server.poll(4)
    assert server.state(1) is State.AVAILABLE


def test_the_server_serves_the_old_version_and_tells_the_reason_meanwhile(world) -> None:
    """The whole server, over gRPC."""
    world.put("m", 1)
    world.start(world.config(world.model("m")))
    source, target = world.models / "half_plus_2", world.folder / "m" / "2"
    copy(source / "saved_model.pb", target / "saved_model.pb")
    world.until("m", {2: "END", 1: "AVAILABLE"})
    assert world.predict() == 1
    for file in files_of(source):
        copy(source / file, target / file)
    world.until("m", {2: "AVAILABLE", 1: "END"})
    assert world.predict() == 2


def test_the_server_tries_again_by_itself_where_base_paths_are_looked_at_once(world) -> None:
    world.put("m", 1)
    variables = world.folder / "m" / "1" / "variables"
    variables.rename(world.folder / "aside")
    config = world.config(world.model("m"))
    world.start(file_system_poll_wait_seconds=0, load_retry_interval_micros=0)
    with pytest.raises(Exception, match="did not become available"):
        world.reload(config)
    (world.folder / "aside").rename(variables)
    world.until("m", {1: "AVAILABLE"})


def test_a_base_path_put_right_is_taken_up(world) -> None:
    (world.folder / "wrong" / "1").mkdir(parents=True)
    (world.folder / "wrong" / "1" / "saved_model.pb").write_bytes(b"not a model")
    world.put("m", 1)
    world.put("n", 1)
    wrong = world.model("m").replace(str(world.folder / "m"), str(world.folder / "wrong"))
    world.start(world.config(world.model("n")))
    with pytest.raises(Exception, match="did not become available"):
        world.reload(world.config(world.model("n"), wrong))
    world.reload(world.config(world.model("n"), world.model("m")))
    world.until("m", {1: "AVAILABLE"})
