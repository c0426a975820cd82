"""Several processes of one kind, each started again when it dies; what cannot start at all ends them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from multiprocessing.process import BaseProcess
from typing import Any

from infra.base.errors import UserError

_LOOK_SECONDS = 1.0
_REFUSED = os.EX_CONFIG  # what a user can mend; a crash ends with another code


def keep_running(work: Callable[..., None], arguments: Mapping[str, tuple[Any, ...]]) -> None:
    """Do the work in processes of their own until SIGTERM or Ctrl-C, then end them in order.

    Args:
        work: a function of a module; ends its process in order on SIGTERM.
        arguments: of each process, by what people call it.

    Raises:
        UserError: one of them was refused at its first start, and has said why; all have ended. One that is started
            again is tried until it works: what it lacks was there before, and the others still do theirs.
    """
    context, stop = multiprocessing.get_context("spawn"), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    processes: dict[str, BaseProcess] = {}
    started_again: set[str] = set()
    try:
        while not stop.is_set():
            for name in arguments:
                if name in processes:
                    if processes[name].is_alive():
                        continue
                    code = processes[name].exitcode
                    if code == _REFUSED and name not in started_again:
                        raise UserError(f"{name} cannot start, for the reason above")
                    print(f"{name} ended with {code}; starting it again", flush=True)
                    started_again.add(name)
                processes[name] = context.Process(target=_work, args=(work, *arguments[name]), name=name)
                processes[name].start()
            stop.wait(_LOOK_SECONDS)
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.join()


def _work(work: Callable[..., None], *arguments: Any) -> None:
    try:
        work(*arguments)
    except UserError as error:
        print(f"vitrine: {error}", file=sys.stderr, flush=True)
        sys.exit(_REFUSED)
