"""Keeps what native libraries write to the standard error out of a story told on the terminal."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def native_logs_to(path: Path) -> Iterator[None]:
    """Send the process's standard error to a file within the block, whoever writes it: Python or a C++ library.

    TensorFlow greets with a page of lines that no environment variable silences before its logging is set up.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sys.stderr.flush()
    kept = os.dup(2)
    with path.open("ab") as file:
        os.dup2(file.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
