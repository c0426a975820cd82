"""Which release answers: follows TensorFlow Serving's label ``stable``, the one truth of what is promoted.

When the label moves, the new release is opened beside the running one, warmed up with real predictions and swapped in
between two requests. Every request holds the release it began with, so no answer mixes two; the old one is dropped when
its last request is done.
"""

from __future__ import annotations

import asyncio
import gc
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc

from serving.gateway.metrics import RELEASE, RELEASE_FAILURES
from serving.gateway.state.article_state import ArticleState
from serving.release.reader import Release
from serving.tf_serving.prediction import PredictionClient

LABEL = "stable"
FOLLOWED_MODEL = "ranker"

log = logging.getLogger(__name__)


class NoRelease(Exception):  # noqa: N818 - becomes the status UNAVAILABLE
    """No release is loaded yet."""


@dataclass
class ActiveRelease:
    """A release with the live state of its articles, and how many requests are using it."""

    release: Release
    state: ArticleState
    in_flight: int = 0
    retired: bool = False


@dataclass(frozen=True)
class ReleasesConfig:
    """How the label is followed."""

    poll_ms: float = 250.0
    timeout_s: float = 1.0
    retry_s: float = 5.0  # before a release that failed to load is tried again


class ActiveReleases:
    """Holds the promoted release and exchanges it when the label moves."""

    def __init__(
        self,
        models: PredictionClient,
        releases_dir: Path,
        follow: Callable[[Release], ArticleState],
        warm_up: Callable[[ActiveRelease], Awaitable[None]],
        config: ReleasesConfig | None = None,
    ) -> None:
        """Args:
        models: the model server, which knows where the label stands.
        releases_dir: where the bundles are, a folder a release number.
        follow: makes the state of a release's articles, not yet loaded.
        warm_up: answers a made-up request by a release not yet in use; raises where its models do not answer.
        """
        self._models, self._releases_dir = models, releases_dir
        self._follow, self._warm_up = follow, warm_up
        self._config = config or ReleasesConfig()
        self._active: ActiveRelease | None = None
        self._failed: tuple[int, float] | None = None  # number, loop time until which it is left alone
        self._waiting_for = ""
        self.ready = asyncio.Event()

    @contextmanager
    def hold(self, customer_id: str) -> Iterator[ActiveRelease]:
        """The release that answers this customer, kept whole until the block ends.

        Raises:
            NoRelease: none is loaded yet.
        """
        # One release answers everybody; a canary would split customers here, by a hash of the id.
        active = self._active
        if active is None:
            raise NoRelease("no release is loaded yet; wait until the health service says SERVING")
        active.in_flight += 1
        try:
            yield active
        finally:
            active.in_flight -= 1
            self._drop_if_idle(active)

    async def follow_label(self) -> None:
        """Poll the label and exchange the release when it moves, for ever."""
        while True:
            try:
                number = await self._labelled()
            except grpc.aio.AioRpcError as error:
                self._note_waiting(f"{error.code().name}: {error.details()}")
            except Exception:
                log.exception("the label %s cannot be followed; trying again", LABEL)
            else:
                if self._is_news(number):
                    await self._exchange(number)
            await asyncio.sleep(self._config.poll_ms / 1e3)

    async def _labelled(self) -> int:
        """The release that the label stands on."""
        return await self._models.served_version(FOLLOWED_MODEL, label=LABEL, timeout_s=self._config.timeout_s)

    def _note_waiting(self, why: str) -> None:
        if self._active is None and why != self._waiting_for:
            log.info("waiting for the model server to name a release: %s", why)
        self._waiting_for = why

    async def close(self) -> None:
        """Stop following the articles of the release in use."""
        if self._active is not None:
            self._active.state.stop()

    def _is_news(self, number: int) -> bool:
        if self._active is not None and self._active.release.number == number:
            return False
        if self._failed is not None and self._failed[0] == number:
            return asyncio.get_running_loop().time() >= self._failed[1]
        return True

    async def _exchange(self, number: int) -> None:
        folder = self._releases_dir / str(number)
        fresh: ActiveRelease | None = None
        try:
            fresh = await asyncio.to_thread(self._open, folder)
            await self._warm_up(fresh)
            # Opening takes seconds, in which the release may have been withdrawn.
            if await self._labelled() != number:
                fresh.state.discard()
                log.info("release %d is not %s any more; it is left alone", number, LABEL)
                return
        except Exception as error:
            RELEASE_FAILURES.inc()
            self._failed = (number, asyncio.get_running_loop().time() + self._config.retry_s)
            if fresh is not None:
                fresh.state.discard()
            kept = "none is loaded" if self._active is None else f"release {self._active.release.number} stays"
            log.error("release %d at %s cannot be used, %s: %s", number, folder, kept, error)
            return
        # What a release consists of stays until it is dropped: the garbage collector need not walk it at every turn.
        # Collecting first takes a tenth of a second, which is only to spare while nobody is asking.
        if self._active is None:
            gc.collect()
        gc.freeze()
        fresh.state.start()
        old, self._active, self._failed = self._active, fresh, None
        RELEASE.set(number)
        log.info("release %d answers, %d articles", number, len(fresh.release.articles))
        self.ready.set()
        if old is not None:
            old.retired = True
            self._drop_if_idle(old)

    def _open(self, folder: Path) -> ActiveRelease:
        release = Release.open(folder)
        state = self._follow(release)
        state.load()
        return ActiveRelease(release, state)

    def _drop_if_idle(self, active: ActiveRelease) -> None:
        if active.retired and active.in_flight == 0:
            active.state.stop()
            log.info("release %d is dropped", active.release.number)
