"""Stage, promote, roll back: the steps in their order.

The order is what keeps a rollout safe. The server is asked before the file is written (are the versions there?), and
the file is written before the server is told. A crash before the file is written changes nothing; after a crash behind
it the server takes the change from the file, within a second or when it starts again. All commands may be repeated.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

from infra.base.errors import UserError
from infra.base.lock import only_process
from infra.base.progress import console
from infra.base.settings import Settings
from serving.release.manifest import MODELS, Manifest
from serving.rollout import base_paths
from serving.rollout.model_server_client import RefusedError, RolloutModelServer, connect, describe
from serving.rollout.releases import Releases
from serving.tf_serving.model_status import State

CONFIG_FILE_NAME = "models.config"
_UNLOAD_TIMEOUT_S = 5

Say = Callable[[str], None]


def _say(text: str) -> None:
    console.print(text, highlight=False, soft_wrap=True)


def stage(settings: Settings, release: int, *, timeout_s: float = 120, say: Say = _say) -> Releases:
    """Load a release beside the one that serves; no customer sees it yet. Releases older than the previous one go.

    Raises:
        UserError: the bundle is incomplete, the server cannot be reached or cannot load it. What served still serves.
    """
    bundle = settings.releases_dir / str(release)
    manifest = Manifest.read(bundle)
    if manifest.release != release:
        raise UserError(f"{bundle} holds release {manifest.release}; the folder's name must be its number")
    manifest.verify(bundle)
    with _only_rollout(settings), connect(settings.tf_serving_address) as server:
        config_path = _config_path(settings)
        old = Releases.read(config_path)
        new = old.staged(release)
        before = server.statuses(release)
        say(f"Release {release}: bundle verified, copying its {len(MODELS)} models to {settings.model_base_dir}")
        base_paths.publish(bundle, settings.model_base_dir, release, loaded=release in old.loaded)
        new.write(config_path)
        try:
            _reload_while_loading(server, new, settings.model_base_dir, timeout_s)
            server.wait_until_available(release, timeout_s, before)
        except UserError:
            if release not in old.loaded:
                _withdraw(server, old, release, settings.model_base_dir)
            raise
        _drop_leftovers(server, new, settings.model_base_dir)
        beside = f" beside release {new.stable}, which serves" if new.stable not in (None, release) else ""
        say(f"Release {release} is loaded{beside}. Next: vitrine rollout promote {release}")
        return new


def promote(settings: Settings, release: int, *, timeout_s: float = 30, say: Say = _say) -> Releases:
    """Let a staged release serve: label ``stable`` of all models moves in one step. The one before stays loaded.

    Raises:
        UserError: the release is not staged or not available, or the server does not answer.
    """
    with _only_rollout(settings), connect(settings.tf_serving_address) as server:
        old = Releases.read(_config_path(settings))
        if release not in old.loaded:
            raise UserError(f"release {release} is not staged; run `vitrine rollout stage {release}` first")
        new = old.promoted(release)
        _move_labels(settings, server, old, new, timeout_s)
        if new == old:
            say(f"Release {release} is the stable one already")
        elif new.previous is None:
            say(f"Release {release} is stable: gateways take it up within a second")
        else:
            say(f"Release {release} is stable, release {new.previous} stays loaded to return to")
        return new


def rollback(settings: Settings, release: int | None = None, *, timeout_s: float = 30, say: Say = _say) -> Releases:
    """Return to the release that was stable before. A second rollback changes nothing.

    Args:
        release: where to return to, if it must be that one and no other.

    Raises:
        UserError: there is no release to return to, it is not ``release``, or the server does not answer.
    """
    with _only_rollout(settings), connect(settings.tf_serving_address) as server:
        old = Releases.read(_config_path(settings))
        if old.previous is None:
            raise UserError("there is no release to return to: none was stable before this one")
        if release is not None and release != old.previous:
            raise UserError(
                f"release {release} is not the one before: that is {old.previous}; to serve {release}, run "
                f"`vitrine rollout stage {release}` and `vitrine rollout promote {release}`"
            )
        new = old.rolled_back()
        _move_labels(settings, server, old, new, timeout_s)
        if new == old:
            say(f"Release {new.stable} is the stable one already; there is nothing further to return to")
        else:
            say(f"Release {new.stable} is stable again, release {old.stable} stays loaded until the next is staged")
        return new


def _move_labels(
    settings: Settings, server: RolloutModelServer, old: Releases, new: Releases, timeout_s: float
) -> None:
    assert new.stable is not None
    statuses = server.statuses(new.stable)
    if any(status is None or status.state is not State.AVAILABLE for status in statuses.values()):
        raise UserError(
            f"release {new.stable} is not available ({describe(statuses)}); "
            f"run `vitrine rollout stage {new.stable}` and look into the model server's log"
        )
    config_path = _config_path(settings)
    new.write(config_path)
    try:
        server.reload(new.to_config(settings.model_base_dir), timeout_s)
    except RefusedError as refusal:
        old.write(config_path)
        raise UserError(f"the model server refuses release {new.stable} as stable: {refusal}") from None
    except UserError as error:
        raise UserError(f"{error}. {config_path} names release {new.stable} already: the server follows it") from None
    found = server.stable_releases()
    if set(found.values()) != {new.stable}:
        raise UserError(
            f"the model server took release {new.stable} as stable, but answers {found}; is another configuration "
            f"than {config_path} given to it?"
        )


def _reload_while_loading(
    server: RolloutModelServer, releases: Releases, model_base_dir: Path, timeout_s: float
) -> None:
    """A reload answers only when new models are there; if they fail, their state tells better why than its message."""
    try:
        server.reload(releases.to_config(model_base_dir), timeout_s)
    except RefusedError as refusal:
        if "did not become available" not in str(refusal):
            raise UserError(f"the model server refuses the configuration: {refusal}") from None


def _withdraw(server: RolloutModelServer, old: Releases, release: int, model_base_dir: Path) -> None:
    """Undo a stage that failed, as far as the server can be reached; a repeated stage starts from here in any case."""
    old.write(model_base_dir / CONFIG_FILE_NAME)
    try:
        server.reload(old.to_config(model_base_dir), _UNLOAD_TIMEOUT_S)
        for model in MODELS:
            if server.wait_until_unloaded(model, release, _UNLOAD_TIMEOUT_S):
                base_paths.remove(model_base_dir, model, release)
    except (RefusedError, UserError):
        return


def _drop_leftovers(server: RolloutModelServer, releases: Releases, model_base_dir: Path) -> None:
    """Take versions off the disk that are out of memory; what is not yet is left for the next time."""
    for model, release in base_paths.leftovers(model_base_dir, releases.loaded):
        if server.wait_until_unloaded(model, release, _UNLOAD_TIMEOUT_S):
            base_paths.remove(model_base_dir, model, release)


def _config_path(settings: Settings) -> Path:
    return settings.model_base_dir / CONFIG_FILE_NAME


def _only_rollout(settings: Settings) -> AbstractContextManager[None]:
    path = settings.model_base_dir / "rollout.lock"
    return only_process(path, "another rollout is under way", "try again when it has ended")
