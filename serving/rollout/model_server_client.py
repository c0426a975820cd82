"""What a rollout says to the model server, and waiting for what it does about it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import grpc

from infra.base.errors import UserError
from infra.base.progress import progress_bar
from serving.proto import tf_serving_pb2 as pb
from serving.release.manifest import MODELS
from serving.rollout.releases import STABLE
from serving.tf_serving.model_status import ModelStatusClient, State, VersionStatus

_CALL_TIMEOUT_S = 10
_LOOK_EVERY_S = 0.05
# How long a failure of an earlier attempt may stand before it counts for this one: the server looks every second.
_OLD_FAILURE_S = 5
_NO_ANSWER = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


class RefusedError(Exception):
    """The model server does not take a configuration; nothing of it is applied."""


class RolloutModelServer:
    """The model server at ``address`` as a rollout sees it."""

    def __init__(self, address: str, channel: grpc.Channel) -> None:
        self._address = address
        self._status = ModelStatusClient(channel)

    def reload(self, config: pb.ModelServerConfig, timeout_s: float) -> None:
        """Make ``config`` the server's configuration.

        Raises:
            RefusedError: the server says no, in its own words.
            UserError: no answer.
        """
        try:
            self._status.reload(config, timeout_s)
        except grpc.RpcError as error:
            if error.code() in _NO_ANSWER:
                raise self._no_answer(error) from None
            raise RefusedError(f"{error.code().name}: {error.details()}") from None

    def statuses(self, release: int) -> dict[str, VersionStatus | None]:
        """State of each model's version; None where the server has never heard of it.

        Raises:
            UserError: no answer.
        """
        try:
            return {model: self._status.version(model, release, _CALL_TIMEOUT_S) for model in MODELS}
        except grpc.RpcError as error:
            raise self._no_answer(error) from None

    def all_statuses(self) -> dict[str, list[VersionStatus]]:
        """Everything the server knows of our models.

        Raises:
            UserError: no answer.
        """
        try:
            return {model: self._status.versions(model, _CALL_TIMEOUT_S) for model in MODELS}
        except grpc.RpcError as error:
            raise self._no_answer(error) from None

    def stable_releases(self) -> dict[str, int | None]:
        """The version that each model answers with when asked for label ``stable``; None for none.

        Raises:
            UserError: no answer.
        """
        found: dict[str, int | None] = {}
        for model in MODELS:
            try:
                found[model] = self._status.served_version(model, STABLE, _CALL_TIMEOUT_S)
            except grpc.RpcError as error:
                if error.code() in _NO_ANSWER:
                    raise self._no_answer(error) from None
                found[model] = None
        return found

    def wait_until_available(self, release: int, timeout_s: float, before: Mapping[str, VersionStatus | None]) -> None:
        """Wait until all models of ``release`` serve.

        Args:
            before: the states before the release was asked for, so that an old failure is not taken for a new one.

        Raises:
            UserError: a model failed to load, or they did not all load in time.
        """
        started = time.monotonic()
        available = 0
        with progress_bar(f"loading release {release}", len(MODELS)) as advance:
            while True:
                statuses = self.statuses(release)
                waited_s = time.monotonic() - started
                for model, status in statuses.items():
                    if status and _has_failed(status, before.get(model), waited_s):
                        raise UserError(f"release {release} does not load: {model}: {status.error}")
                now_available = sum(
                    status is not None and status.state is State.AVAILABLE for status in statuses.values()
                )
                advance(now_available - available)
                available = now_available
                if available == len(MODELS):
                    return
                if waited_s > timeout_s:
                    raise UserError(
                        f"release {release} is not available after {timeout_s:.0f} s: {describe(statuses)}; look into "
                        "the model server's log"
                    )
                time.sleep(_LOOK_EVERY_S)

    def wait_until_unloaded(self, model: str, release: int, timeout_s: float) -> bool:
        """Whether a version is out of memory within the time."""
        started = time.monotonic()
        while True:
            try:
                status = self._status.version(model, release, _CALL_TIMEOUT_S)
            except grpc.RpcError as error:
                raise self._no_answer(error) from None
            if status is None or status.state is State.END:
                return True
            if time.monotonic() - started > timeout_s:
                return False
            time.sleep(_LOOK_EVERY_S)

    def _no_answer(self, error: grpc.RpcError) -> UserError:
        return UserError(
            f"no answer from the model server at {self._address} ({error.code().name}: {error.details()}); start it "
            "with `vitrine stack start`, or set VITRINE_TF_SERVING_ADDRESS to where it is"
        )


@contextmanager
def connect(address: str) -> Iterator[RolloutModelServer]:
    """Open a channel for the length of the block."""
    with grpc.insecure_channel(address) as channel:
        yield RolloutModelServer(address, channel)


def describe(statuses: Mapping[str, VersionStatus | None]) -> str:
    """In words: ``query_tower AVAILABLE, ranker not known``."""
    return ", ".join(f"{model} {status.state.name if status else 'not known'}" for model, status in statuses.items())


def _has_failed(status: VersionStatus, before: VersionStatus | None, waited_s: float) -> bool:
    if status.state is not State.END or not status.error:
        return False
    return status != before or waited_s > _OLD_FAILURE_S
