"""Several processes of one kind, each started again when it dies."""

from __future__ import annotations

import multiprocessing
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from typing import Any

from infra.base.errors import UserError

_LOOK_SECONDS = 1.0


def keep_running(work: Callable[..., None], arguments: Mapping[str, tuple[Any, ...]]) -> None:
    """Do the work in processes of their own until SIGTERM or Ctrl-C, then end them in order.

    Args:
        work: a function of a module; ends its process in order on SIGTERM.
        arguments: of each process, by what people call it.
    """
    context, stop = multiprocessing.get_context("spawn"), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    processes: dict[str, BaseProcess] = {}
    while not stop.is_set():
        for name in arguments:
            if name in processes and processes[name].is_alive():
                continue
            if name in processes:
                print(f"{name} ended with {processes[name].exitcode}; starting it again", flush=True)
            processes[name] = context.Process(target=_work, args=(work, *arguments[name]), name=name)
            processes[name].start()
        stop.wait(_LOOK_SECONDS)
    for process in processes.values():
        process.terminate()
    for process in processes.values():
        process.join()


def _work(work: Callable[..., None], *arguments: Any) -> None:
    try:
        work(*arguments)
    except UserError as error:
        sys.exit(f"vitrine: {error}")
