"""TensorProto as the model wants it, and the model's results as TensorProto."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf
from tensorflow.core.framework import tensor_pb2, types_pb2

from serving.model_server.serving_error import invalid_argument
from serving.tf_serving.tensors import VALUE_FIELDS, Array, set_tensor, to_array

_CORE_NAMES = {"float16": "half", "float32": "float", "float64": "double"}


def type_name(data_type: int) -> str:
    """The name that TensorFlow's messages give to a type: ``float`` for DT_FLOAT, ``int64`` for DT_INT64."""
    name: str = tf.dtypes.as_dtype(data_type).name
    return _CORE_NAMES.get(name, name)


def read_tensor(alias: str, tensor: tensor_pb2.TensorProto) -> Array:
    """Read an input, packed or value by value.

    Raises:
        ServingError: INVALID_ARGUMENT when the values do not make a tensor.
    """
    try:
        if tensor.dtype in VALUE_FIELDS or tensor.dtype == types_pb2.DT_STRING:
            return to_array(tensor)
        return tf.make_ndarray(tensor)
    except (ValueError, TypeError):
        raise invalid_argument(f"tensor parsing error: {alias}") from None


def write_tensor(tensor: tensor_pb2.TensorProto, array: Any, packed: bool) -> None:
    """Write an output: its values one by one, as TensorFlow Serving does, or ``packed`` as raw bytes (cheaper)."""
    array = np.asarray(array)
    if array.dtype == object or packed:
        set_tensor(tensor, array)
        return
    data_type = tf.dtypes.as_dtype(array.dtype).as_datatype_enum
    if data_type not in VALUE_FIELDS:
        tensor.CopyFrom(tf.make_tensor_proto(array))
        return
    tensor.dtype = data_type
    dim = tensor.tensor_shape.dim
    for size in array.shape:
        dim.add(size=size)
    values = array.view(np.uint16) if data_type == types_pb2.DT_HALF else array
    getattr(tensor, VALUE_FIELDS[data_type]).extend(values.ravel().tolist())
