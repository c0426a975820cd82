"""Predict and GetModelMetadata answer as TensorFlow Serving 2.20 was measured to."""

import re
from typing import Any

import grpc
import numpy as np
import pytest
import tensorflow as tf
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tensorflow.core.framework import types_pb2
from tensorflow_serving.apis import classification_pb2, get_model_metadata_pb2, predict_pb2

from tests.serving.model_server_world import World
from tests.serving.saved_models import echo, two_inputs

DT_FLOAT, DT_INT64 = types_pb2.DT_FLOAT, types_pb2.DT_INT64


@pytest.fixture(scope="module")
def served(tmp_path_factory, models):
    """Model m in versions 1 and 2, stable 1, canary 2."""
    world = World(tmp_path_factory.mktemp("served"), models)
    world.put("m", 1)
    world.put("m", 2)
    two_inputs(world.folder / "two" / "1")
    labels = 'version_labels { key: "stable" value: 1 } version_labels { key: "canary" value: 2 }'
    world.start(
        world.config(world.model("m", "model_version_policy { all {} } " + labels), world.model("two")),
        allow_version_labels_for_unavailable_models=True,
    )
    world.until("m", {2: "AVAILABLE", 1: "AVAILABLE"})
    yield world
    world.stop()


def request(served, *, inputs=None, name="m", outputs=(), signature="", **which):
    made = predict_pb2.PredictRequest(model_spec=served.spec(name, **which), output_filter=outputs)
    made.model_spec.signature_name = signature
    for alias, value in ({"x": np.array([0, 2], np.float32)} if inputs is None else inputs).items():
        made.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
    return made


@pytest.mark.parametrize(
    ("which", "version"), [({}, 2), ({"version": 1}, 1), ({"label": "stable"}, 1), ({"label": "canary"}, 2)]
)
def test_the_answer_names_the_version_and_signature_that_computed_it(served, which, version):
    answer = served.prediction.Predict(request(served, **which))
    assert list(answer.outputs["y"].float_val) == [version, version + 1]
    assert answer.model_spec.name == "m"
    assert answer.model_spec.version.value == version
    assert answer.model_spec.signature_name == "serving_default"


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        ({"label": "nope"}, "INVALID_ARGUMENT", "Unrecognized servable version label: nope"),
        ({"version": 9}, "NOT_FOUND", "Servable not found for request: Specific(m, 9)"),
        ({"name": "zzz"}, "NOT_FOUND", "Servable not found for request: Latest(zzz)"),
        ({"name": ""}, "INVALID_ARGUMENT", "ModelSpec has no name specified."),
        ({"signature": "zz"}, "FAILED_PRECONDITION", 'Serving signature key "zz" not found.'),
        (
            {"inputs": {"x": np.array([1], np.int64)}},
            "INVALID_ARGUMENT",
            "Expects arg[0] to be float but int64 is provided",
        ),
        (
            {"inputs": {"wrong": np.array([1], np.float32)}},
            "INVALID_ARGUMENT",
            "Signature input alias: x(feed name: serving_default_x:0) not found in request and no default value "
            "provided. Inputs expected to be in the request {wrong}, or default input alias set: ",
        ),
        (
            {"inputs": {"x": np.array([1], np.float32), "extra": np.array([1], np.float32)}},
            "INVALID_ARGUMENT",
            "input size does not match signature: 2!=1 len({extra,x}) != len({x}). Sent extra: {extra}. "
            "Missing but required: {}.",
        ),
        (
            {"inputs": {}},
            "INVALID_ARGUMENT",
            "input size does not match signature: 0!=1 len({}) != len({x}). Sent extra: {}. Missing but required: {x}.",
        ),
        (
            {"outputs": ["z"]},
            "INVALID_ARGUMENT",
            "output tensor alias not found in signature: z Outputs expected to be in the set {y}.",
        ),
        ({"outputs": ["y", "y"]}, "INVALID_ARGUMENT", "duplicate output tensor alias: y"),
    ],
)
def test_what_cannot_be_answered_is_refused_in_tensorflow_servings_words(served, refused, changes, code, message):
    assert refused(lambda: served.prediction.Predict(request(served, **changes))) == (grpc.StatusCode[code], message)


def test_the_second_of_two_inputs_is_named_when_its_type_is_wrong(served, refused):
    inputs = {"a": np.array([[1, 0], [0, 1]], np.float32), "b": np.array([1, 2], np.float64)}
    status = refused(lambda: served.prediction.Predict(request(served, name="two", inputs=inputs)))
    assert status == (grpc.StatusCode.INVALID_ARGUMENT, "Expects arg[1] to be float but double is provided")


def test_a_wrong_shape_gets_the_graphs_own_complaint(served, refused):
    inputs = {"a": np.array([[1, 0], [0, 1]], np.float32), "b": np.array([1, 2, 3], np.float32)}
    code, message = refused(lambda: served.prediction.Predict(request(served, name="two", inputs=inputs)))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert re.search("(?i)size|shape|dimension", message)


def test_a_tensor_whose_values_do_not_fit_its_shape_is_a_parsing_error(served, refused):
    made = request(served)
    made.inputs["x"].tensor_content = b"123"
    status = refused(lambda: served.prediction.Predict(made))
    assert status == (grpc.StatusCode.INVALID_ARGUMENT, "tensor parsing error: x")


def test_only_the_outputs_asked_for_are_answered(served):
    inputs = {"a": np.array([[1, 2], [3, 4]], np.float32), "b": np.array([1, 1], np.float32)}
    everything = served.prediction.Predict(request(served, name="two", inputs=inputs)).outputs
    assert set(everything) == {"product", "sum"}
    some = served.prediction.Predict(request(served, name="two", inputs=inputs, outputs=["sum"])).outputs
    assert set(some) == {"sum"}
    assert some["sum"].float_val == [10]
    assert list(everything["product"].float_val) == [3, 7]


def test_metadata_is_given_by_label_and_holds_the_signatures(served, refused):
    asked = get_model_metadata_pb2.GetModelMetadataRequest(model_spec=served.spec("m", label="stable"))
    assert refused(lambda: served.prediction.GetModelMetadata(asked)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "GetModelMetadataRequest must specify at least one metadata_field",
    )
    asked.metadata_field.append("signature_def")
    answer = served.prediction.GetModelMetadata(asked)
    assert answer.model_spec.version.value == 1
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert answer.metadata["signature_def"].Unpack(signatures)
    assert signatures.signature_def["serving_default"].inputs["x"].dtype == DT_FLOAT
    asked.metadata_field.append("weights")
    code, message = refused(lambda: served.prediction.GetModelMetadata(asked))
    assert (code, message) == (grpc.StatusCode.INVALID_ARGUMENT, "Metadata field weights is not supported")


def test_other_methods_are_unimplemented_and_health_is_serving(served, refused):
    code, _ = refused(lambda: served.prediction.Classify(classification_pb2.ClassificationRequest()))
    assert code == grpc.StatusCode.UNIMPLEMENTED
    health = health_pb2_grpc.HealthStub(served.channel)
    answer = health.Check(health_pb2.HealthCheckRequest(service="tensorflow.serving.PredictionService"))
    assert answer.status == health_pb2.HealthCheckResponse.SERVING


VALUES: dict[str, Any] = {
    "float": np.array([[1.5, -2], [0, 3]], np.float32),
    "double": np.array([1.5, -2], np.float64),
    "int32": np.array([[1], [-2]], np.int32),
    "int64": np.array([1, -(2**40)], np.int64),
    "uint8": np.array([0, 255], np.uint8),
    "bool": np.array([True, False], np.bool_),
    "half": np.array([1.5, -2], np.float16),
    "string": np.array([b"one", b"", b"\xff"], dtype=object),
    "none": np.zeros((0, 3), np.float32),
    "one": np.float32(7),
}


@pytest.mark.parametrize("packed", [False, True], ids=["values", "packed"])
def test_every_type_goes_in_and_out_in_both_forms(world, packed):
    types = {name: tf.as_dtype(value.dtype if value.dtype != object else tf.string) for name, value in VALUES.items()}
    for name, dtype in types.items():
        echo(world.folder / name / "1", dtype)
    world.start(world.config(*map(world.model, VALUES)), enable_serialization_as_tensor_content=packed)
    for name, value in VALUES.items():
        by_value = tf.make_tensor_proto(value.tolist() if name != "one" else 7.0, dtype=types[name], shape=value.shape)
        for sent in (tf.make_tensor_proto(value), by_value):
            asked = predict_pb2.PredictRequest(model_spec=world.spec(name))
            asked.inputs["value"].CopyFrom(sent)
            answered = world.prediction.Predict(asked).outputs["echoed"]
            np.testing.assert_array_equal(tf.make_ndarray(answered), value, err_msg=name)
            assert answered.dtype == sent.dtype
            assert bool(answered.tensor_content) == (packed and name not in ("string", "none"))


def test_one_value_stands_for_all_of_its_tensor(world):
    echo(world.folder / "e" / "1", tf.int64)
    world.start(world.config(world.model("e")))
    asked = predict_pb2.PredictRequest(model_spec=world.spec("e"))
    asked.inputs["value"].CopyFrom(tf.make_tensor_proto(5, tf.int64, shape=[]))
    asked.inputs["value"].tensor_shape.dim.add(size=3)
    assert list(world.prediction.Predict(asked).outputs["echoed"].int64_val) == [5, 5, 5]
    del asked.inputs["value"].int64_val[:]
    assert list(world.prediction.Predict(asked).outputs["echoed"].int64_val) == [0, 0, 0]
