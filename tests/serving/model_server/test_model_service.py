"""GetModelStatus and HandleReloadConfigRequest answer as TensorFlow Serving 2.20 was measured to."""

import contextlib
import threading
from typing import Any

import grpc
import pytest
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import get_model_status_pb2, model_management_pb2, predict_pb2

from infra.base.errors import UserError
from tests.serving.model_server_world import tensor
from tests.serving.saved_models import counting, eventually

ALL = "model_version_policy { all {} } "


def versions(*numbers):
    return "model_version_policy { specific { " + " ".join(f"versions: {n}" for n in numbers) + " } } "


def label(name, version):
    return f'version_labels {{ key: "{name}" value: {version} }} '


def status_of(world, name, version=None):
    return world.model_service.GetModelStatus(
        get_model_status_pb2.GetModelStatusRequest(model_spec=world.spec(name, version))
    )


def test_status_lists_all_versions_newest_first_and_keeps_the_unloaded_as_end(world):
    for version in (1, 2, 3):
        world.put("m", version)
    world.start(world.config(world.model("m", ALL)))
    world.until("m", {3: "AVAILABLE", 2: "AVAILABLE", 1: "AVAILABLE"})
    assert list(world.states()) == [3, 2, 1]
    world.reload(world.config(world.model("m", versions(2))))
    world.until("m", {3: "END", 2: "AVAILABLE", 1: "END"})
    (only,) = status_of(world, "m", 1).model_version_status
    assert only.version == 1
    assert only.status.error_code == 0


def test_status_of_the_unknown_is_not_found(world, refused):
    world.put("m", 1)
    world.start(world.config(world.model("m")))
    not_found = grpc.StatusCode.NOT_FOUND
    assert refused(lambda: status_of(world, "m", 9)) == (not_found, "Could not find version 9 of model m")
    assert refused(lambda: status_of(world, "zzz")) == (not_found, "Could not find any versions of model zzz")


@pytest.mark.parametrize(
    ("policy", "served"),
    [
        ("", {3}),
        ("model_version_policy { latest { num_versions: 2 } }", {2, 3}),
        (ALL, {1, 2, 3}),
        (versions(1, 3), {1, 3}),
        (versions(1, 7), {1}),
    ],
)
def test_the_version_policy_decides_what_is_served(world, policy, served):
    for version in (1, 2, 3):
        world.put("m", version)
    world.start(world.config(world.model("m", policy)))
    world.until("m", dict.fromkeys(served, "AVAILABLE"))


def test_a_new_version_is_taken_up_from_the_base_path_and_replaces_the_old(world):
    world.put("m", 1)
    world.start(world.config(world.model("m")))
    assert world.predict() == 1
    world.put("m", 2)
    world.until("m", {2: "AVAILABLE", 1: "END"})
    assert world.predict() == 2


def test_a_reload_is_the_whole_state_and_a_model_left_out_unloads(world, refused):
    world.put("m", 1)
    world.put("n", 2)
    world.start(world.config(world.model("m")))
    world.reload(world.config(world.model("n")))
    assert world.predict("n") == 2  # a reload answers when its new models are there
    world.until("m", {1: "END"})
    assert refused(lambda: world.predict("m"))[0] == grpc.StatusCode.NOT_FOUND


def test_labels_swap_among_loaded_versions_at_once(world):
    world.put("m", 1)
    world.put("m", 2)
    world.start(world.config(world.model("m", ALL)))
    world.until("m", {2: "AVAILABLE", 1: "AVAILABLE"})
    world.reload(world.config(world.model("m", ALL + label("stable", 1) + label("canary", 2))))
    assert (world.predict(label="stable"), world.predict(label="canary")) == (1, 2)
    world.reload(world.config(world.model("m", ALL + label("stable", 2) + label("canary", 1))))
    assert (world.predict(label="stable"), world.predict(label="canary")) == (2, 1)
    world.reload(world.config(world.model("m", ALL)))
    with pytest.raises(grpc.RpcError, match="Unrecognized servable version label: stable"):
        world.predict(label="stable")


@pytest.mark.parametrize("flag", [False, True])
def test_a_label_moved_to_a_version_that_is_not_loaded_is_refused_and_nothing_is_applied(world, refused, flag):
    world.put("m", 1)
    world.put("n", 1)
    world.put("n", 2)
    world.start(world.config(world.model("m"), world.model("n", ALL)), allow_version_labels_for_unavailable_models=flag)
    world.until("n", {2: "AVAILABLE", 1: "AVAILABLE"})
    world.reload(world.config(world.model("m", label("stable", 1)), world.model("n", ALL + label("stable", 1))))
    half = world.config(world.model("n", versions(2) + label("stable", 2)), world.model("m", label("stable", 3)))
    assert refused(lambda: world.reload(half)) == (
        grpc.StatusCode.FAILED_PRECONDITION,
        "Request to assign label to version 3 of model m, which is not currently available for inference",
    )
    assert world.predict("n", label="stable") == 1
    assert world.states("n") == {2: "AVAILABLE", 1: "AVAILABLE"}


def test_a_new_label_on_an_absent_version_needs_the_flag(world, refused):
    world.put("m", 1)
    world.start(world.config(world.model("m")), allow_version_labels_for_unavailable_models=True)
    world.reload(world.config(world.model("m", versions(1, 2) + label("next", 2))))
    assert refused(lambda: world.predict(label="next")) == (
        grpc.StatusCode.NOT_FOUND,
        "Servable not found for request: Specific(m, 2)",
    )
    world.put("m", 2)
    eventually(lambda: world.states().get(2) == "AVAILABLE")
    assert world.predict(label="next") == 2


def test_a_version_that_is_not_on_disk_loads_when_it_appears(world):
    world.put("m", 1)
    world.start(world.config(world.model("m")))
    world.reload(world.config(world.model("m", versions(1, 2))))
    assert world.states() == {1: "AVAILABLE"}
    world.put("m", 2)
    world.until("m", {2: "AVAILABLE", 1: "AVAILABLE"})


def test_a_version_that_was_unloaded_can_be_loaded_again(world):
    world.put("m", 1)
    world.put("m", 2)
    world.start(world.config(world.model("m", versions(1))))
    world.reload(world.config(world.model("m", versions(2))))
    world.until("m", {2: "AVAILABLE", 1: "END"})
    world.reload(world.config(world.model("m", versions(1, 2))))
    world.until("m", {2: "AVAILABLE", 1: "AVAILABLE"})
    assert world.predict(version=1) == 1


def test_a_version_that_cannot_be_loaded_ends_with_the_reason_and_the_old_one_goes_on(world):
    world.put("m", 1)
    world.start(world.config(world.model("m")))
    broken = world.folder / "m" / "2"
    broken.mkdir()
    (broken / "saved_model.pb").write_bytes(b"not a model")
    world.until("m", {2: "END", 1: "AVAILABLE"})
    (ended,) = status_of(world, "m", 2).model_version_status
    assert ended.status.error_code != 0
    assert "saved_model.pb" in ended.status.error_message
    assert world.predict() == 1


def test_a_new_model_that_cannot_be_loaded_fails_the_reload(world, refused):
    world.put("m", 1)
    world.start(world.config(world.model("m")))
    broken = world.folder / "n" / "1"
    broken.mkdir(parents=True)
    (broken / "saved_model.pb").write_bytes(b"not a model")
    code, message = refused(lambda: world.reload(world.config(world.model("m"), world.model("n"))))
    assert code == grpc.StatusCode.UNKNOWN
    assert message.startswith("1 model(s) did not become available: {{{name: n version: 1} due to error: ")
    assert world.predict() == 1


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            "",
            "ServerModelConfig type not supported by HandleReloadConfigRequest. Only ModelConfigList is currently "
            "supported",
        ),
        (
            'model_config_list { config { name: "m" base_path: "m" model_platform: "tensorflow" } }',
            "Expected model m to have an absolute path or URI; got base_path()=m",
        ),
        (
            'model_config_list { config { name: "m" base_path: "/m" } }',
            "Illegal setting neither ModelServerConfig::model_type (deprecated) nor ModelServerConfig::model_platform.",
        ),
        (
            'model_config_list { config { name: "m" base_path: "/m" model_platform: "tensorflow" } '
            'config { name: "m" base_path: "/n" model_platform: "tensorflow" } }',
            "Illegal to list model m multiple times in config list",
        ),
    ],
)
def test_a_config_that_cannot_be_right_is_refused(world, refused, config, message):
    world.put("m", 1)
    world.start(world.config(world.model("m")))
    assert refused(lambda: world.reload(config)) == (grpc.StatusCode.INVALID_ARGUMENT, message)
    assert world.predict() == 1


def answers_status(world):
    try:
        return world.states("slow")
    except grpc.RpcError:
        return False


def test_a_call_beyond_the_threads_is_refused_and_unloading_waits_for_the_call_under_way(world, refused):
    counting(world.folder / "slow" / "1")
    world.start(world.config(world.model("slow")), grpc_max_threads=1)
    request = predict_pb2.PredictRequest(model_spec=world.spec("slow"))
    request.inputs["steps"].CopyFrom(tensor(types_pb2.DT_INT32, [], int_val=[200_000]))
    answers: list[Any] = []

    def ask():
        while not answers:  # the only thread may be busy with the question below
            with contextlib.suppress(grpc.RpcError):
                answers.append(world.prediction.Predict(request))

    call = threading.Thread(target=ask)
    call.start()

    eventually(lambda: not answers_status(world))
    assert refused(lambda: world.states("slow")) == (
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        "Server Threadpool Exhausted",
    )
    host = world.server.host
    host.reload(model_management_pb2.ReloadConfigRequest(config={"model_config_list": {}}).config)
    eventually(lambda: host.states(world.spec("slow"))[0].state.name == "UNLOADING")
    assert not answers
    call.join()
    assert answers[0].outputs["counted"].int_val == [200_000]
    world.until("slow", {1: "END"})


def test_a_start_with_labels_in_the_file_needs_the_flag(world):
    world.put("m", 1)
    with pytest.raises(UserError, match="FAILED_PRECONDITION: Request to assign label to version 1 of model m"):
        world.start(world.config(world.model("m", label("stable", 1))))
    world.start(allow_version_labels_for_unavailable_models=True)
    assert world.predict(label="stable") == 1
