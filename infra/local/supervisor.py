"""Starts again what dies."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from infra.base.errors import UserError
from infra.local.daemon import Daemon

_LOOK_SECONDS = 0.1
_FIRST_DELAY_SECONDS = 0.1
_LONGEST_DELAY_SECONDS = 10.0
_STEADY_AFTER_SECONDS = 30.0


class Supervisor:
    """Watches daemons, one thread each: a wanted one that does not run is started, after ever longer pauses.

    Args:
        say: gets a line for people whenever something dies or comes back.
        on_change: called after a daemon has come up or gone down.
    """

    def __init__(self, say: Callable[[str], None], on_change: Callable[[], None]) -> None:
        self._say = say
        self._on_change = on_change
        self._closing = threading.Event()
        self._watches: list[tuple[Daemon, threading.Thread]] = []

    def watch(self, daemon: Daemon, start_when: Callable[[], bool] | None = None) -> None:
        """Keep ``daemon`` running; with ``start_when``, start it for the first time once that holds."""
        thread = threading.Thread(
            target=self._keep, args=(daemon, start_when), name=f"watch-{daemon.name}", daemon=True
        )
        self._watches.append((daemon, thread))
        thread.start()

    def close(self) -> None:
        """Stop all daemons, the last watched first."""
        self._closing.set()
        for daemon, thread in reversed(self._watches):
            daemon.stop()
            while thread.is_alive():  # it may be starting the daemon at this very moment
                thread.join(_LOOK_SECONDS)
                daemon.stop()
        self._watches.clear()

    def _keep(self, daemon: Daemon, start_when: Callable[[], bool] | None) -> None:
        while start_when is not None and not daemon.is_wanted and not start_when():
            if self._closing.wait(_LOOK_SECONDS):
                return
        was_up = daemon.is_running or start_when is None or self._start(daemon)
        failures, up_since = 0, time.monotonic()
        while not self._closing.wait(_LOOK_SECONDS):
            if daemon.is_running or not daemon.is_wanted:
                continue
            if time.monotonic() - up_since > _STEADY_AFTER_SECONDS:
                failures = 0
            delay_seconds = min(_FIRST_DELAY_SECONDS * 2**failures, _LONGEST_DELAY_SECONDS)
            failures += 1
            if was_up:
                self._say(daemon.death_notice())
                self._on_change()
            self._say(f"{daemon.name} is started again in {delay_seconds:.1f} s")
            if self._closing.wait(delay_seconds):
                return
            was_up, up_since = self._start(daemon), time.monotonic()

    def _start(self, daemon: Daemon) -> bool:
        started = time.monotonic()
        try:
            daemon.start_again()
        except UserError as error:
            if not self._closing.is_set():
                self._say(str(error))
            return False
        self._say(f"{daemon.name} is up, after {time.monotonic() - started:.1f} s")
        self._on_change()
        return True
