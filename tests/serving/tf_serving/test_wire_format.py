"""Our messages are TensorFlow Serving's on the wire, field by field and byte by byte."""

import numpy as np
import pytest
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.framework import tensor_pb2
from tensorflow_serving.apis import (
    get_model_metadata_pb2,
    get_model_status_pb2,
    model_management_pb2,
    model_pb2,
    predict_pb2,
)
from tensorflow_serving.config import model_server_config_pb2

from serving.proto import tf_serving_pb2 as pb
from serving.tf_serving.prediction import predict_request
from serving.tf_serving.tensors import set_tensor, to_array

OFFICIAL = {
    "TensorProto": tensor_pb2.TensorProto,
    "ModelSpec": model_pb2.ModelSpec,
    "PredictRequest": predict_pb2.PredictRequest,
    "PredictResponse": predict_pb2.PredictResponse,
    "GetModelMetadataRequest": get_model_metadata_pb2.GetModelMetadataRequest,
    "GetModelMetadataResponse": get_model_metadata_pb2.GetModelMetadataResponse,
    "GetModelStatusRequest": get_model_status_pb2.GetModelStatusRequest,
    "GetModelStatusResponse": get_model_status_pb2.GetModelStatusResponse,
    "ModelVersionStatus": get_model_status_pb2.ModelVersionStatus,
    "ReloadConfigRequest": model_management_pb2.ReloadConfigRequest,
    "ReloadConfigResponse": model_management_pb2.ReloadConfigResponse,
    "ModelServerConfig": model_server_config_pb2.ModelServerConfig,
}
# An enumeration and its number are the same on the wire.
SAME_ON_THE_WIRE = {("error_code", "TYPE_INT32"): "TYPE_ENUM"}


def type_name(field):
    return next(name for name in dir(field) if name.startswith("TYPE_") and getattr(field, name) == field.type)


def assert_same_fields(ours, official, seen):
    if ours.full_name in seen or ours.full_name.startswith("google."):
        return
    seen.add(ours.full_name)
    theirs = official.fields_by_name
    for name, field in ours.fields_by_name.items():
        where = f"{ours.full_name}.{name}"
        assert field.number == theirs[name].number, where
        assert SAME_ON_THE_WIRE.get((name, type_name(field)), type_name(field)) == type_name(theirs[name]), where
        assert field.is_repeated == theirs[name].is_repeated, where
        assert field.is_packed == theirs[name].is_packed, where
        if field.message_type:
            assert_same_fields(field.message_type, theirs[name].message_type, seen)
        if field.enum_type:
            for value in field.enum_type.values:
                assert value.number == theirs[name].enum_type.values_by_name[value.name].number, where


@pytest.mark.parametrize("name", OFFICIAL)
def test_every_field_has_the_official_name_number_and_type(name):
    assert_same_fields(getattr(pb, name).DESCRIPTOR, OFFICIAL[name].DESCRIPTOR, set())


ARRAYS = [
    np.array([[1.5, -2], [0, 3]], np.float32),
    np.array([1.5], np.float64),
    np.array([[1], [-2]], np.int32),
    np.array([2**40], np.int64),
    np.array([255], np.uint8),
    np.array([-1], np.int8),
    np.array([-300], np.int16),
    np.array([300], np.uint16),
    np.array([2**31], np.uint32),
    np.array([2**63], np.uint64),
    np.array([True, False], np.bool_),
    np.array([1.5, -2], np.float16),
    np.array([b"one", b"\xff"], dtype=object),
    np.zeros((0, 3), np.float32),
    np.float32(7),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{list(array.shape)}")
def test_arrays_are_read_by_the_official_package_and_back_in_both_forms(array):
    ours = pb.TensorProto()
    set_tensor(ours, array)
    theirs = tensor_pb2.TensorProto.FromString(ours.SerializeToString())
    np.testing.assert_array_equal(tf.make_ndarray(theirs), array)
    by_value = tf.make_tensor_proto(array.tolist(), dtype=theirs.dtype, shape=array.shape)
    for sent in (theirs, tf.make_tensor_proto(array), by_value):
        back = to_array(pb.TensorProto.FromString(sent.SerializeToString()))
        np.testing.assert_array_equal(back, array)
        assert back.dtype == array.dtype


def test_text_is_sent_as_bytes():
    tensor = pb.TensorProto()
    set_tensor(tensor, np.array(["é"]))
    assert tensor.string_val == ["é".encode()]


def test_what_is_no_tensor_is_an_error_that_names_it():
    with pytest.raises(TypeError, match=r"an array of datetime64\[D\] has no TensorFlow type"):
        set_tensor(pb.TensorProto(), np.array(["2020-09-20"], "datetime64[D]"))
    with pytest.raises(ValueError, match="tensor type 18 is not one this client reads"):
        to_array(pb.TensorProto.FromString(tf.make_tensor_proto(1j).SerializeToString()))


def test_a_predict_request_is_byte_for_byte_the_official_one():
    features = np.array([[1, 2]], np.float32)
    ours = predict_request("ranker", {"features": features}, label="stable", outputs=["score"])
    theirs = predict_pb2.PredictRequest(output_filter=["score"])
    theirs.model_spec.name = "ranker"
    theirs.model_spec.version_label = "stable"
    theirs.inputs["features"].CopyFrom(tf.make_tensor_proto(features))
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)


def test_a_configuration_reads_the_same_as_text_in_both():
    text = """
        model_config_list { config {
          name: "ranker" base_path: "/models/ranker" model_platform: "tensorflow"
          model_version_policy { specific { versions: 1 versions: 2 } }
          version_labels { key: "stable" value: 1 }
        } }"""
    ours = text_format.Parse(text, pb.ModelServerConfig())
    theirs = text_format.Parse(text, model_server_config_pb2.ModelServerConfig())
    assert ours.SerializeToString(deterministic=True) == theirs.SerializeToString(deterministic=True)
    assert text_format.MessageToString(ours) == text_format.MessageToString(theirs)
