"""The server as a process: log lines on standard error, the port in a file, a clean end on SIGTERM and Ctrl-C."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

# A load runs much Python. With the default of 5 ms a call would wait that long for its turn, several times over.
_THREAD_TURN_SECONDS = 0.0005


def serve(options: Mapping[str, Any], port_file: Path | None = None) -> None:
    """Run until told to stop.

    Args:
        options: the fields of ``ServerOptions``.
        port_file: receives the port's number when the server answers.

    Raises:
        UserError: the options or the configuration do not allow it to start.
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    sys.setswitchinterval(_THREAD_TURN_SECONDS)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())

    _keep_keras_out()
    from serving.model_server.server import ModelServer, ServerOptions  # seconds: TensorFlow

    server = ModelServer(ServerOptions(**options))
    port = server.start()
    logging.info("answering on %s:%d", options["host"], port)
    if port_file is not None:
        partial = port_file.with_suffix(".partial")
        partial.write_text(f"{port}\n")
        partial.replace(port_file)
    stop.wait()
    logging.info("stopping")
    server.stop()


def _keep_keras_out() -> None:
    """TensorFlow imports Keras where it is installed, a third of the start, of which a server has no use."""
    for name in ("keras", "tf_keras"):
        sys.modules[name] = None  # type: ignore[assignment]
