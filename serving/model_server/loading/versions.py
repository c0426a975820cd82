"""The versions of all models: their states, who is using them, and one step at a time of loading and unloading."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from serving.model_server.availability import next_action
from serving.model_server.loading.load_retries import FailedLoad, RetryPolicy, contents
from serving.model_server.loading.servable import Servable
from serving.model_server.serving_error import ServingError, failed_precondition, not_found
from serving.tf_serving.model_status import State

log = logging.getLogger(__name__)


Load: TypeAlias = Callable[[Path], Servable]
"""Makes a servable of a version folder, warm and ready, or raises."""


@dataclass
class _Version:
    path: Path
    wanted: bool = True
    state: State = State.START
    error: ServingError | None = None
    failure: FailedLoad | None = None
    servable: Servable | None = None
    leases: int = 0

    @property
    def leaving(self) -> bool:
        return self.state is State.UNLOADING

    @property
    def failed(self) -> bool:
        return self.wanted and self.state is State.END and self.failure is not None


@dataclass(frozen=True)
class VersionState:
    """What GetModelStatus tells of a version. The error of a failed load stays until a later one has succeeded."""

    version: int
    state: State
    error: ServingError | None


class Versions:
    """Every version that the server has ever heard of. Safe to use from many threads.

    ``advance`` does the slow work and belongs to one background thread; nothing else waits for a model to load.
    ``work`` is set whenever there may be something for it to do.

    Args:
        load: makes a servable of a folder.
        retries: when a version that could not be loaded is tried again.
        clock: the time in seconds, for those retries.
    """

    def __init__(self, load: Load, retries: RetryPolicy, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._retries = retries
        self._clock = clock
        self._models: dict[str, dict[int, _Version]] = {}
        self._changed = threading.Condition()
        self.work = threading.Event()

    # -- what is wanted --------------------------------------------------------------------------------------------

    def want(self, wanted: Mapping[str, Mapping[int, Path] | None]) -> None:
        """Say which versions of which models are to be served; models left out are not wanted any more.

        None for a model leaves it as it is: its base path could not be read just now.
        """
        with self._changed:
            for model in self._models.keys() | wanted.keys():
                paths = wanted.get(model, {})
                if paths is not None:
                    self._want_model(self._models.setdefault(model, {}), paths)
            self._changed.notify_all()
        self.work.set()

    @staticmethod
    def _want_model(versions: dict[int, _Version], paths: Mapping[int, Path]) -> None:
        for number, version in versions.items():
            if number in paths and not version.wanted and version.state is State.END:
                version.path, version.state, version.error, version.failure = paths[number], State.START, None, None
            version.wanted = number in paths
            if version.failed:
                version.path = paths[number]
            if not version.wanted and version.state is State.START:
                version.state = State.END
        for number in paths.keys() - versions.keys():
            versions[number] = _Version(paths[number])

    def retry_failed(self) -> None:
        """Take up again the versions that could not be loaded and of which there is new hope; to be called at times."""
        with self._changed:
            failed = [version for versions in self._models.values() for version in versions.values() if version.failed]
        found = [contents(version.path) for version in failed]  # a slow disk, and no call may wait for it
        with self._changed:
            for version, folder in zip(failed, found, strict=True):
                failure = version.failure if version.failed else None
                if failure is not None and failure.is_due(folder, self._clock(), self._retries):
                    version.state = State.START
                    self.work.set()
            self._changed.notify_all()

    # -- calls -----------------------------------------------------------------------------------------------------

    @contextmanager
    def lease(self, model: str, number: int | None) -> Iterator[tuple[int, Servable]]:
        """Hold a version (None: the newest available) while using it; it is not unloaded before all leases end.

        Raises:
            ServingError: NOT_FOUND when it does not serve.
        """
        with self._changed:
            versions = self._models.get(model, {})
            if number is None:
                number = max((n for n, v in versions.items() if v.state is State.AVAILABLE), default=None)
            version = versions.get(number) if number is not None else None
            if number is None or version is None or version.state is not State.AVAILABLE or version.servable is None:
                request = f"Latest({model})" if number is None else f"Specific({model}, {number})"
                raise not_found(f"Servable not found for request: {request}")
            version.leases += 1
        try:
            yield number, version.servable
        finally:
            with self._changed:
                version.leases -= 1
                if version.leases == 0 and version.leaving:
                    self.work.set()

    def states(self, model: str) -> list[VersionState]:
        """All versions of a model that were ever heard of, newest first."""
        with self._changed:
            versions = self._models.get(model, {})
            return [VersionState(n, v.state, v.error) for n, v in sorted(versions.items(), reverse=True)]

    # -- loading and unloading -------------------------------------------------------------------------------------

    def advance(self) -> bool:
        """Do the next piece of work, which may take long, and say whether there was any."""
        with self._changed:
            for model, versions in self._models.items():
                for number, version in versions.items():
                    if version.leases == 0 and version.leaving:
                        return self._finish_unloading(model, number, version)
                action = next_action(
                    wanted={number for number, version in versions.items() if version.wanted},
                    new={number for number, version in versions.items() if version.state is State.START},
                    ready={number for number, version in versions.items() if version.state is State.AVAILABLE},
                )
                if action is None:
                    continue
                version = versions[action.version]
                if action.kind == "unload":
                    self._set(model, action.version, version, State.UNLOADING)
                    return True
                self._set(model, action.version, version, State.LOADING)
                break
            else:
                return False
        self._load_version(model, action.version, version)
        return True

    def _load_version(self, model: str, number: int, version: _Version) -> None:
        started = time.monotonic()
        servable: Servable | None = None
        error: ServingError | None = None
        path = version.path
        tried = contents(path)
        try:
            servable = self._load(path)
        except ServingError as refused:
            error = refused
        except Exception as failure:  # whatever a broken model raises, the others go on
            error = failed_precondition(f"{type(failure).__name__}: {failure}")
        if servable is not None and contents(path) != tried:  # half an asset would be served without complaint
            servable.close()
            servable, error = None, failed_precondition(f"{path} changed while it was loaded")
        with self._changed:
            version.servable, version.error = servable, error
            version.failure = FailedLoad(tried, self._clock(), version.failure) if error else None
            self._set(model, number, version, State.END if error else State.AVAILABLE)
        if error:
            log.error("could not load version %d of %s from %s: %s", number, model, path, error.message)
        else:
            log.info("loaded version %d of %s in %.1f s", number, model, time.monotonic() - started)

    def _finish_unloading(self, model: str, number: int, version: _Version) -> bool:
        if version.servable is not None:
            version.servable.close()
            version.servable = None
        # Wanted again while it was on its way out: it starts anew.
        self._set(model, number, version, State.START if version.wanted else State.END)
        log.info("unloaded version %d of %s", number, model)
        return True

    def _set(self, model: str, number: int, version: _Version, state: State) -> None:
        version.state = state
        self._changed.notify_all()
        log.debug("version %d of %s: %s", number, model, state.name)

    # -- waiting ---------------------------------------------------------------------------------------------------

    def wait_until_settled(self, models: set[str] | None = None, give_up: Callable[[], bool] = lambda: False) -> bool:
        """Wait until every model (of ``models``, if given) has a version serving or none left to try.

        Args:
            give_up: asked four times a second; True ends the waiting.

        Returns:
            False when it gave up.
        """
        with self._changed:
            while not all(
                _settled(versions) for model, versions in self._models.items() if models is None or model in models
            ):
                if give_up():
                    return False
                self._changed.wait(0.25)
        return True


def _settled(versions: dict[int, _Version]) -> bool:
    wanted = [version for version in versions.values() if version.wanted]
    return any(version.state is State.AVAILABLE for version in wanted) or all(
        version.state is State.END for version in wanted
    )
