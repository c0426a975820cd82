"""Warm-up requests run before a version serves, and a version whose warm-up fails does not serve."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

from serving.model_server.loading.warmup import WARMUP_FILE
from serving.model_server.server import load_warm
from serving.model_server.serving_error import ServingError
from tests.serving.saved_models import echo, half_plus


def write_requests(folder, *inputs, times=1):
    path = folder / WARMUP_FILE
    path.parent.mkdir()
    with tf.io.TFRecordWriter(str(path)) as writer:
        for values in inputs * times:
            request = predict_pb2.PredictRequest()
            for alias, value in values.items():
                request.inputs[alias].CopyFrom(tf.make_tensor_proto(value))
            log = prediction_log_pb2.PredictionLog(predict_log=prediction_log_pb2.PredictLog(request=request))
            writer.write(log.SerializeToString())
    return path


def test_every_request_of_the_file_is_run(tmp_path, caplog):
    caplog.set_level("INFO")
    folder = half_plus(tmp_path / "1", 1)
    write_requests(folder, {"x": np.array([1], np.float32)}, {"x": np.array([1, 2], np.float32)})
    load_warm(folder).close()
    assert "ran 2 warm-up requests" in caplog.text


@pytest.mark.parametrize(
    ("inputs", "times", "message"),
    [
        ({"wrong": np.array([1], np.float32)}, 1, "Signature input alias: x"),
        ({"x": np.array([1], np.int64)}, 1, "Expects arg\\[0\\] to be float but int64 is provided"),
        ({"x": np.array([1], np.float32)}, 1001, "Number of warmup records exceeds the maximum \\(1000\\) at "),
    ],
)
def test_a_request_that_fails_or_too_many_fail_the_load(tmp_path, inputs, times, message):
    folder = half_plus(tmp_path / "1", 1)
    write_requests(folder, inputs, times=times)
    with pytest.raises(ServingError, match=message):
        load_warm(folder)


@pytest.mark.parametrize("content", [b"this is no TFRecord at all", None])
def test_a_broken_file_fails_the_load(tmp_path, content):
    folder = echo(tmp_path / "1", tf.float32)
    path = write_requests(folder)
    if content is None:
        with tf.io.TFRecordWriter(str(path)) as writer:
            writer.write(b"\xff no PredictionLog")
    else:
        path.write_bytes(content)
    with pytest.raises(ServingError, match=r"TFRecord format|Failed to parse warmup record"):
        load_warm(folder)
