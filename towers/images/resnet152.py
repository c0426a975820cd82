"""ResNet152 from Keras applications: 2048 numbers a picture, by global average pooling.

He et al. 2015, https://arxiv.org/abs/1512.03385. Weights come from a file or from Keras' own download, which is first
tried by one short request: a machine without a way out learns so in seconds.
"""

from __future__ import annotations

import hashlib
import socket
import threading
import urllib.request
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tf_keras
from tf_keras.src.applications import resnet

from infra.errors import UserError
from infra.progress import console

_FILE_NAME = "resnet152_weights_tf_dim_ordering_tf_kernels_notop.h5"
_URL = resnet.BASE_WEIGHTS_PATH + _FILE_NAME
_MD5 = resnet.WEIGHTS_HASHES["resnet152"][1]
_TRY_SECONDS = 5.0
_STALL_SECONDS = 30.0


class WeightsOutOfReachError(Exception):
    """The weights are neither on this machine nor to be had over the network."""


class ResNet152:
    """The network up to global average pooling."""

    name = "resnet152"
    input_size = 224
    dim = 2048

    def __init__(self, weights_path: Path | None = None) -> None:
        """Build the network with the weights of a file, or with those that Keras downloads.

        Raises:
            UserError: the file is missing or holds other weights.
            WeightsOutOfReachError: no file was given and the download cannot be reached.
        """
        path = weights_path or _download()
        if not path.is_file():
            raise UserError(f"--weights {path} is no file; it should be {_FILE_NAME} of Keras applications")
        shape = (self.input_size, self.input_size, 3)
        model = tf_keras.applications.ResNet152(include_top=False, pooling="avg", weights=None, input_shape=shape)
        try:
            model.load_weights(path)
        except (OSError, ValueError, KeyError) as error:
            raise UserError(f"--weights {path} does not fit ResNet152 without top ({error})") from error
        with path.open("rb") as file:
            self.weights_digest = hashlib.file_digest(file, "sha256").hexdigest()

        @tf.function(input_signature=[tf.TensorSpec([None, *shape], tf.uint8)])
        def pooled(images: tf.Tensor) -> tf.Tensor:
            values = tf_keras.applications.resnet.preprocess_input(tf.cast(images, tf.float32))
            return model(values, training=False)

        self._pooled = pooled

    def embed(self, images: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 [b, 224, 224, 3] to float32 [b, 2048]."""
        result: npt.NDArray[np.float32] = self._pooled(images).numpy()
        return result


def _download(url: str = _URL) -> Path:
    """The weights file in Keras' cache, downloaded and checked against its hash if it is not there yet."""
    cached = Path.home() / ".keras" / "models" / _FILE_NAME
    if not cached.is_file():
        host = url.split("/")[2]
        if not reachable(url, _TRY_SECONDS):
            raise WeightsOutOfReachError(f"ResNet152's weights at {host} cannot be reached from here")
        console.print(f"  downloading ResNet152's weights (234 MB) from {host}")
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALL_SECONDS)  # Keras' download has no timeout of its own
    try:
        return Path(tf_keras.utils.get_file(_FILE_NAME, url, cache_subdir="models", file_hash=_MD5))
    except Exception as error:  # Keras raises bare Exceptions for a failed download
        raise WeightsOutOfReachError(f"ResNet152's weights could not be downloaded ({error})") from error
    finally:
        socket.setdefaulttimeout(before)


def reachable(url: str, seconds: float) -> bool:
    """Whether the server answers a HEAD request well within ``seconds``, its name's look-up included."""
    answered = threading.Event()

    def ask() -> None:
        try:
            with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=seconds):
                answered.set()
        except (OSError, ValueError):
            return

    thread = threading.Thread(target=ask, daemon=True)  # a name's look-up cannot be given a timeout
    thread.start()
    thread.join(seconds)
    return answered.is_set()
