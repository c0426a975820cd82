"""Reads PyTorch's file format from before version 1.6 with numpy alone, and lets the pickles in it build nothing else.

The file is four pickles (magic number, protocol version, machine, tensors by name) and a fifth with the storages' keys
in order; behind it, each storage's number of elements (int64) and its raw elements.
Format: ``_legacy_save`` in https://github.com/pytorch/pytorch/blob/main/torch/serialization.py.
"""

from __future__ import annotations

import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError

_MAGIC = 0x1950A86A20F9469CFC6C
_DTYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


@dataclass(frozen=True)
class _Tensor:
    """Where a tensor lies: elements of a storage from ``offset``, ``stride`` elements apart along each axis."""

    storage: tuple[Any, ...]  # ("storage", dtype, key, device, elements, view)
    offset: int
    shape: tuple[int, ...]
    stride: tuple[int, ...]


def _rebuild_tensor(storage: tuple[Any, ...], offset: int, shape: Any, stride: Any, *_: object) -> _Tensor:
    return _Tensor(storage, offset, tuple(shape), tuple(stride))


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    **{("torch", name): dtype for name, dtype in _DTYPES.items()},
}


class RestrictedUnpickler(pickle.Unpickler):
    """Builds dictionaries of tensor descriptions; every other class or function in the pickle is refused."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        try:
            return _ALLOWED[module_name, global_name]
        except KeyError:
            raise pickle.UnpicklingError(
                f"the file asks for {module_name}.{global_name}, which no tensor needs; it is not loaded"
            ) from None

    def persistent_load(self, pid: Any) -> Any:
        return pid


def read_checkpoint(path: Path) -> dict[str, npt.NDArray[Any]]:
    """All tensors of a checkpoint by name.

    Raises:
        UserError: the file is no such checkpoint, is cut off, or holds anything but tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except (pickle.UnpicklingError, EOFError, ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise UserError(f"{path} cannot be read as PyTorch weights (format before 1.6): {error}") from error


def _read(file: IO[bytes]) -> dict[str, npt.NDArray[Any]]:
    magic, _protocol, machine, tensors, keys = (RestrictedUnpickler(file).load() for _ in range(5))
    if magic != _MAGIC:
        raise ValueError("the magic number is another one")
    if not machine["little_endian"]:
        raise ValueError("its numbers are big-endian")
    dtypes = {tensor.storage[2]: tensor.storage[1] for tensor in tensors.values()}
    storages = {key: _storage(file, dtypes[key]) for key in keys}
    return {name: _array(tensor, storages[tensor.storage[2]]) for name, tensor in tensors.items()}


def _storage(file: IO[bytes], dtype: np.dtype[Any]) -> npt.NDArray[Any]:
    elements = int(np.frombuffer(file.read(8), "<i8")[0])
    data = file.read(elements * dtype.itemsize)
    if len(data) != elements * dtype.itemsize:
        raise EOFError("the file is cut off")
    return np.frombuffer(data, dtype)


def _array(tensor: _Tensor, storage: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """A view into the storage, by strides in elements: these weights came from TensorFlow and lie in its order."""
    if len(tensor.shape) != len(tensor.stride) or min((0, tensor.offset, *tensor.shape, *tensor.stride)) < 0:
        raise ValueError(f"a tensor has shape {tensor.shape}, strides {tensor.stride} and offset {tensor.offset}")
    last = tensor.offset + sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride, strict=True))
    if last >= len(storage):
        raise ValueError(f"a tensor of shape {tensor.shape} reaches beyond its storage")
    strides = [step * storage.itemsize for step in tensor.stride]
    return np.lib.stride_tricks.as_strided(storage[tensor.offset :], tensor.shape, strides, writeable=False)
