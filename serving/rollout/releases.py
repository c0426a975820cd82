"""Which releases are loaded, which is stable and which was stable before: ``models.config``, the truth of a rollout.

The file is TensorFlow Serving's own configuration, so the server reads the very thing that a rollout writes. Label
``stable`` is the promoted release; ``previous`` is the one that a rollback returns to.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from google.protobuf import text_format

from infra.base.durable import sync_folder
from infra.base.errors import UserError
from serving.proto import tf_serving_pb2 as pb
from serving.release.manifest import MODELS

STABLE = "stable"
PREVIOUS = "previous"

_HEADER = (
    "# Written by `vitrine rollout`, read by the model server. A version is a release; labels say which is promoted.\n"
)


@dataclass(frozen=True)
class Releases:
    """The releases that a model server is to hold, all models alike.

    Attributes:
        loaded: every release to be loaded, the labelled ones among them.
        others: models that are not ours, passed on as they are.
    """

    loaded: frozenset[int] = frozenset()
    stable: int | None = None
    previous: int | None = None
    others: tuple[pb.ModelConfig, ...] = ()

    def staged(self, release: int) -> Releases:
        """With ``release`` loaded beside the stable one and the one before; older ones go."""
        kept = {number for number in (self.stable, self.previous, release) if number is not None}
        return replace(self, loaded=frozenset(kept))

    def promoted(self, release: int) -> Releases:
        """With ``release`` stable. What was stable is kept to return to."""
        if release == self.stable:
            return self
        return replace(self, stable=release, previous=self.stable)

    def rolled_back(self) -> Releases:
        """With the previous release stable again; the one left stays loaded, and a second rollback changes nothing."""
        return replace(self, stable=self.previous)

    def to_config(self, model_base_dir: Path) -> pb.ModelServerConfig:
        """As TensorFlow Serving's configuration."""
        config = pb.ModelServerConfig()
        config.model_config_list.SetInParent()  # an empty list is a configuration too: serve nothing
        for name in MODELS if self.loaded else ():
            model = config.model_config_list.config.add(
                name=name, base_path=str(model_base_dir / name), model_platform="tensorflow"
            )
            model.model_version_policy.specific.versions.extend(sorted(self.loaded))
            for label, release in self._labels():
                model.version_labels[label] = release
        config.model_config_list.config.extend(self.others)
        return config

    def _labels(self) -> Iterator[tuple[str, int]]:
        if self.stable is not None:
            yield STABLE, self.stable
        if self.previous is not None:
            yield PREVIOUS, self.previous

    def write(self, path: Path) -> None:
        """Replace the file in one step; what is read is the old or the new one, after a power cut as well."""
        partial = path.with_name(path.name + ".partial")
        with partial.open("w") as file:
            file.write(_HEADER + text_format.MessageToString(self.to_config(path.parent)))
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        sync_folder(path.parent)

    @classmethod
    def read(cls, path: Path) -> Releases:
        """Read the file; no file is no release.

        Raises:
            UserError: it cannot be read, or its models are not at the same releases.
        """
        try:
            config = text_format.Parse(path.read_text(), pb.ModelServerConfig())
        except FileNotFoundError:
            return cls()
        except (UnicodeDecodeError, text_format.ParseError) as error:
            raise UserError(f"{path} is not what `vitrine rollout` writes: {error}; mend or remove it") from None
        models = {model.name: model for model in config.model_config_list.config}
        others = tuple(model for name, model in models.items() if name not in MODELS)
        ours = [models[name] for name in MODELS if name in models]
        if not ours:
            return cls(others=others)
        seen = [(dict(model.version_labels), frozenset(model.model_version_policy.specific.versions)) for model in ours]
        if len(ours) < len(MODELS) or any(one != seen[0] for one in seen):
            raise UserError(
                f"{path}: the models {', '.join(MODELS)} are not at the same releases; give them the same versions "
                "and labels, or remove the file and stage again"
            )
        labels, loaded = seen[0]
        return cls(loaded, labels.get(STABLE), labels.get(PREVIOUS), others)
