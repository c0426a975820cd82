"""The manifest of a release: what it holds and how its parts fit together."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from infra.base.errors import UserError

FORMAT = 1
MODELS = ("query_tower", "candidate_tower", "ranker")


@dataclass(frozen=True)
class SourceQuota:
    """A candidate source by name with the number of articles it may propose."""

    name: str
    limit: int
    chances: tuple[float, ...] = ()  # its precision by rank, see ``source_precision``; empty: not known


@dataclass(frozen=True)
class Manifest:
    """Read first, and enough to judge a release without opening any other file."""

    release: int
    as_of: str  # ISO date: trained on purchases dated before it
    created_at: str  # ISO instant
    seed: int
    articles: int
    embedding_dim: int
    temperature: float
    prior_weight: float
    sources: tuple[SourceQuota, ...]
    query_numeric: tuple[str, ...]
    query_categories: dict[str, list[str]]  # category -> vocabulary, "" (unknown) first
    ranking_features: tuple[str, ...]
    image_backbone: str
    metrics: dict[str, float]
    files: dict[str, str] = field(default_factory=dict)  # path below the folder -> sha256
    format: int = FORMAT

    def write(self, folder: Path) -> None:
        """Write ``manifest.json``."""
        (folder / "manifest.json").write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n")

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """Read ``manifest.json``.

        Raises:
            UserError: there is none, or it is of another format.
        """
        path = folder / "manifest.json"
        try:
            content: dict[str, Any] = json.loads(path.read_text())
        except FileNotFoundError:
            raise UserError(
                f"no release at {folder}: manifest.json is missing; make one with `vitrine train`"
            ) from None
        if content.get("format") != FORMAT:
            raise UserError(f"{path} is of format {content.get('format')}, this Vitrine reads {FORMAT}; train it anew")
        content["sources"] = tuple(SourceQuota(**source) for source in content["sources"])
        content["query_numeric"] = tuple(content["query_numeric"])
        content["ranking_features"] = tuple(content["ranking_features"])
        return cls(**content)

    def verify(self, folder: Path) -> None:
        """Compare every file with its hash.

        Raises:
            UserError: a file is missing or has changed since the release was made.
        """
        for name, expected in self.files.items():
            path = folder / name
            if not path.is_file():
                raise UserError(f"release {self.release}: {name} is missing in {folder}; copy the bundle again")
            if sha256(path) != expected:
                raise UserError(f"release {self.release}: {name} has changed since it was made; copy the bundle again")


def sha256(path: Path) -> str:
    """Hash of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def hash_files(folder: Path) -> dict[str, str]:
    """Hashes of all files below ``folder`` but the manifest."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "manifest.json")
    return {str(path.relative_to(folder)): sha256(path) for path in paths}
