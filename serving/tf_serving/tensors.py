"""numpy arrays as TensorProto and back.

Arrays go out as raw ``tensor_content``, which is about a hundred times cheaper than lists of values. What comes back
may also hold its values in the typed fields (``float_val``...): TensorFlow Serving answers so unless told otherwise.
Format: tensorflow/core/framework/tensor.proto.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from serving.proto import tf_serving_pb2 as pb

Array = npt.NDArray[Any]

# TensorFlow's type, numpy's type, and the field that holds values one by one.
_TYPES: tuple[tuple[int, type[np.generic], str], ...] = (
    (pb.DT_FLOAT, np.float32, "float_val"),
    (pb.DT_DOUBLE, np.float64, "double_val"),
    (pb.DT_INT32, np.int32, "int_val"),
    (pb.DT_UINT8, np.uint8, "int_val"),
    (pb.DT_INT16, np.int16, "int_val"),
    (pb.DT_INT8, np.int8, "int_val"),
    (pb.DT_INT64, np.int64, "int64_val"),
    (pb.DT_BOOL, np.bool_, "bool_val"),
    (pb.DT_UINT16, np.uint16, "int_val"),
    (pb.DT_UINT32, np.uint32, "uint32_val"),
    (pb.DT_UINT64, np.uint64, "uint64_val"),
    (pb.DT_HALF, np.float16, "half_val"),  # there as its bits
)
_TYPE_NUMBER = {np.dtype(numpy_type): number for number, numpy_type, _ in _TYPES}
_NUMPY_TYPE = {number: np.dtype(numpy_type) for number, numpy_type, _ in _TYPES}
VALUE_FIELDS = {number: field for number, _, field in _TYPES}


def set_tensor(tensor: pb.TensorProto, array: Array) -> None:
    """Fill ``tensor`` with an array of numbers, booleans, ``bytes`` or ``str``.

    Raises:
        TypeError: TensorFlow has no such type.
    """
    dim = tensor.tensor_shape.dim
    for size in array.shape:
        dim.add(size=size)
    if array.dtype.kind in "OSU":
        tensor.dtype = pb.DT_STRING
        tensor.string_val.extend(v if isinstance(v, bytes) else str(v).encode() for v in array.ravel().tolist())
        return
    number = _TYPE_NUMBER.get(array.dtype)
    if number is None:
        raise TypeError(f"an array of {array.dtype} has no TensorFlow type; give float32, int32, int64, bool or str")
    tensor.dtype = number  # type: ignore[assignment]
    tensor.tensor_content = array.tobytes()


def to_array(tensor: pb.TensorProto) -> Array:
    """Read a tensor, whichever way its values are stored; strings become an object array of ``bytes``.

    Arrays that come from ``tensor_content`` are read-only views of the message.

    Raises:
        ValueError: the number of values does not fit the shape, or the type is not known here.
    """
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.dtype == pb.DT_STRING:
        values: Array = np.array(list(tensor.string_val), dtype=object)
    elif tensor.dtype in _NUMPY_TYPE:
        numpy_type = _NUMPY_TYPE[tensor.dtype]
        if tensor.tensor_content:
            return np.frombuffer(tensor.tensor_content, numpy_type).reshape(shape)
        stored = np.uint16 if tensor.dtype == pb.DT_HALF else numpy_type
        values = np.array(getattr(tensor, VALUE_FIELDS[tensor.dtype]), dtype=stored).view(numpy_type)
    else:
        raise ValueError(f"tensor type {tensor.dtype} is not one this client reads")
    return _fill(values, shape)


def _fill(values: Array, shape: tuple[int, ...]) -> Array:
    """TensorFlow leaves out trailing repetitions: the last value given (or zero) stands for all that follow."""
    size = int(np.prod(shape, dtype=np.int64))
    if len(values) < size:
        last = values[-1:] if len(values) else np.array([b""] if values.dtype == object else [0], dtype=values.dtype)
        values = np.concatenate([values, np.repeat(last, size - len(values))])
    return values.reshape(shape)
