"""PyTorch's old file format, read without PyTorch and without trusting the file."""

from __future__ import annotations

import os
import pickle
import sys
import types
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infra.base.errors import UserError
from towers.images.efficientnet_lite0 import packaged_weights
from towers.images.torch_checkpoint import read_checkpoint

MAGIC, PROTOCOL = 0x1950A86A20F9469CFC6C, 1001


class _Storage:
    """Pickled by persistent id, as PyTorch does it."""

    def __init__(self, key: str, values: np.ndarray, kind: type) -> None:
        self.key, self.values, self.kind = key, values, kind


class _Tensor:
    def __init__(self, rebuild: Any, storage: _Storage, offset: int, shape: tuple, stride: tuple) -> None:
        self._rebuild = rebuild
        self._arguments: tuple = (storage, offset, shape, stride, False, OrderedDict())

    def __reduce__(self) -> tuple:
        return self._rebuild, self._arguments


class _Pickler(pickle.Pickler):
    def persistent_id(self, obj: Any) -> Any:
        if isinstance(obj, _Storage):
            return ("storage", obj.kind, obj.key, "cpu", len(obj.values), None)
        return None


@pytest.fixture
def torch(monkeypatch: pytest.MonkeyPatch) -> types.ModuleType:
    """As much of PyTorch as its pickles name."""
    module, utils = types.ModuleType("torch"), types.ModuleType("torch._utils")

    def _rebuild_tensor_v2(*_: object) -> None: ...

    _rebuild_tensor_v2.__module__, _rebuild_tensor_v2.__qualname__ = "torch._utils", "_rebuild_tensor_v2"
    module.__dict__["FloatStorage"] = type("FloatStorage", (), {"__module__": "torch"})
    utils.__dict__["_rebuild_tensor_v2"] = _rebuild_tensor_v2
    monkeypatch.setitem(sys.modules, "torch", module)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)
    return module


def write_checkpoint(path: Path, tensors: Any, storages: list[_Storage]) -> Path:
    with path.open("wb") as file:
        for part in (MAGIC, PROTOCOL, {"protocol_version": PROTOCOL, "little_endian": True}):
            pickle.dump(part, file, protocol=2)
        _Pickler(file, protocol=2).dump(tensors)
        pickle.dump([storage.key for storage in storages], file, protocol=2)
        for storage in storages:
            file.write(np.int64(len(storage.values)).tobytes() + storage.values.tobytes())
    return path


def test_tensors_are_read_by_their_strides_and_offset(torch: Any, tmp_path: Path) -> None:
    storage = _Storage("7", np.arange(8, dtype="<f4"), torch.FloatStorage)
    rebuild = sys.modules["torch._utils"]._rebuild_tensor_v2
    tensors = OrderedDict(
        rows=_Tensor(rebuild, storage, 2, (2, 3), (3, 1)),
        columns=_Tensor(rebuild, storage, 0, (2, 3), (1, 2)),
    )
    read = read_checkpoint(write_checkpoint(tmp_path / "weights.pth", tensors, [storage]))
    assert read["rows"].tolist() == [[2, 3, 4], [5, 6, 7]]
    assert read["columns"].tolist() == [[0, 2, 4], [1, 3, 5]]


def test_a_tensor_may_not_reach_beyond_its_storage(torch: Any, tmp_path: Path) -> None:
    storage = _Storage("7", np.arange(8, dtype="<f4"), torch.FloatStorage)
    tensor = _Tensor(sys.modules["torch._utils"]._rebuild_tensor_v2, storage, 3, (2, 3), (3, 1))
    path = write_checkpoint(tmp_path / "weights.pth", OrderedDict(beyond=tensor), [storage])
    with pytest.raises(UserError, match="beyond its storage"):
        read_checkpoint(path)


class _Call:
    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


@pytest.mark.parametrize(
    ("function", "named"), [(os.system, "system"), (eval, "eval"), (getattr, "getattr"), (np.array, "array")]
)
def test_a_pickle_that_asks_for_anything_but_tensors_is_refused(function: Any, named: str, tmp_path: Path) -> None:
    evidence = tmp_path / "evidence"
    path = write_checkpoint(tmp_path / "weights.pth", {"bait": _Call(function, f"touch {evidence}")}, [])
    with pytest.raises(UserError, match=named):
        read_checkpoint(path)
    assert not evidence.exists()


def test_a_file_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "half.pth"
    path.write_bytes(packaged_weights().read_bytes()[:2_000_000])
    with pytest.raises(UserError, match="cut off"):
        read_checkpoint(path)


def test_another_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "note.pth"
    path.write_text("no weights")
    with pytest.raises(UserError, match=r"note\.pth cannot be read as PyTorch weights"):
        read_checkpoint(path)


def test_the_packaged_weights_hold_every_tensor_with_finite_values() -> None:
    tensors = read_checkpoint(packaged_weights())
    assert len(tensors) == 296
    assert all(np.isfinite(tensor).all() for tensor in tensors.values())
    assert all((tensor >= 0).all() for name, tensor in tensors.items() if name.endswith("running_var"))
