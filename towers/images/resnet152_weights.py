"""Where ResNet152's weights are: in a file, in Keras' cache, or at Keras' download, tried by one short request.

A machine without a way out learns so in seconds, before anything heavy is imported.
"""

from __future__ import annotations

import socket
import threading
import urllib.request
from pathlib import Path

from infra.base.errors import UserError
from infra.base.progress import console

# As in Keras applications (resnet.py: BASE_WEIGHTS_PATH, WEIGHTS_HASHES).
FILE_NAME = "resnet152_weights_tf_dim_ordering_tf_kernels_notop.h5"
URL = f"https://storage.googleapis.com/tensorflow/keras-applications/resnet/{FILE_NAME}"
MD5 = "ee4c566cf9a93f14d82f913c2dc6dd0c"

_TRY_SECONDS = 5.0
_STALL_SECONDS = 30.0


class WeightsOutOfReachError(Exception):
    """The weights are neither on this machine nor to be had over the network."""


def locate_weights(given: Path | None) -> Path:
    """The weights file: the one given, or Keras' own, downloaded and checked against its hash if it is not there yet.

    Raises:
        UserError: the file given does not exist.
        WeightsOutOfReachError: none was given, and the download cannot be reached or breaks off.
    """
    if given is not None:
        if not given.is_file():
            raise UserError(f"--weights {given} is no file; it should be {FILE_NAME} of Keras applications")
        return given
    cached = Path.home() / ".keras" / "models" / FILE_NAME
    if not cached.is_file():
        host = URL.split("/")[2]
        if not reachable(URL, _TRY_SECONDS):
            raise WeightsOutOfReachError(f"ResNet152's weights at {host} cannot be reached from here")
        console.print(f"  downloading ResNet152's weights (234 MB) from {host}")
    import tf_keras

    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(_STALL_SECONDS)  # Keras' download has no timeout of its own
    try:
        return Path(tf_keras.utils.get_file(FILE_NAME, URL, cache_subdir="models", file_hash=MD5))
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
