"""Kafka's jars: pinned by version and hash in ``kafka_jars.txt``, fetched once from Maven Central, kept in a cache."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from infra.base.errors import UserError
from infra.base.progress import progress_bar

JAR_LIST = Path(__file__).with_name("kafka_jars.txt")
_DOWNLOADS_AT_A_TIME = 8
_TRIES = 3
_TIMEOUT_SECONDS = 30


@dataclass(frozen=True)
class Jar:
    """A Maven artifact and the sha256 of its file."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


Fetch = Callable[[Jar, Path], Path]
"""Downloads a jar into the given scratch folder and returns its path."""


def read_jar_list(path: Path = JAR_LIST) -> list[Jar]:
    """Read lines of ``group:artifact:version sha256``."""
    jars = []
    for line in path.read_text().splitlines():
        coordinates, sha256 = line.split()
        group, artifact, version = coordinates.split(":")
        jars.append(Jar(group, artifact, version, sha256))
    return jars


def cache_dir(jars: Sequence[Jar], environ: Mapping[str, str] | None = None) -> Path:
    """Where the jars of this version of Kafka are kept, for all checkouts of this user."""
    env = os.environ if environ is None else environ
    base = Path(env.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = next(jar.version for jar in jars if jar.artifact == "kafka-clients")
    return base / "vitrine" / f"kafka-{version}"


def kafka_jars(folder: Path | None = None, jars: Sequence[Jar] | None = None, fetch: Fetch | None = None) -> list[Path]:
    """The jars of the list, each of the right hash; those that are missing or damaged are downloaded.

    A jar gets its place only whole and checked, by a rename: an interrupted download leaves nothing that looks done,
    and goes on where it was.

    Raises:
        UserError: the network is not there, or a file does not have the hash that the list gives.
    """
    jars = read_jar_list() if jars is None else jars
    folder = cache_dir(jars) if folder is None else folder
    folder.mkdir(parents=True, exist_ok=True)
    missing = [jar for jar in jars if not _has_hash(folder / jar.file_name, jar.sha256)]
    if missing:
        with tempfile.TemporaryDirectory(prefix="partial-", dir=folder) as scratch:
            _download(missing, folder, Path(scratch), fetch or fetch_from_maven)
    return [folder / jar.file_name for jar in jars]


def fetch_from_maven(jar: Jar, scratch: Path) -> Path:
    """Resolve one artifact by itself: jgo's own tree resolution mixes versions of Kafka's parts."""
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(repo_cache=scratch, resolver=PythonResolver(), timeout=_TIMEOUT_SECONDS)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    return Path(artifact.resolve())


def _download(missing: Sequence[Jar], folder: Path, scratch: Path, fetch: Fetch) -> None:
    def one(number: int, jar: Jar) -> None:
        own_scratch = scratch / str(number)
        path = _fetch_with_retries(jar, own_scratch, fetch, folder)
        actual = _sha256(path)
        if actual != jar.sha256:
            raise UserError(
                f"{jar.coordinates}: the downloaded file has sha256 {actual}, {JAR_LIST.name} wants {jar.sha256}; "
                "it is not used. A proxy may have changed it: try another network, or put the right file at "
                f"{folder / jar.file_name}"
            )
        path.replace(folder / jar.file_name)
        shutil.rmtree(own_scratch, ignore_errors=True)

    with (
        progress_bar(f"Kafka's jars -> {folder}", len(missing)) as advance,
        ThreadPoolExecutor(_DOWNLOADS_AT_A_TIME) as pool,
    ):
        futures = [pool.submit(one, number, jar) for number, jar in enumerate(missing)]
        try:
            for future in as_completed(futures):
                future.result()
                advance(1)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def _fetch_with_retries(jar: Jar, scratch: Path, fetch: Fetch, folder: Path) -> Path:
    error: Exception | None = None
    for attempt in range(_TRIES):
        try:
            return fetch(jar, scratch / str(attempt))
        except (OSError, RuntimeError) as failure:  # requests' errors are OSErrors, jgo's "not found" a RuntimeError
            error = failure
    raise UserError(
        f"{jar.coordinates} could not be downloaded from Maven Central in {_TRIES} tries ({type(error).__name__}: "
        f"{error}). Check the network (HTTPS_PROXY is respected) and run again: what is there already stays in "
        f"{folder}. Or set VITRINE_KAFKA_BOOTSTRAP_SERVERS to a running Kafka"
    )


def _has_hash(path: Path, sha256: str) -> bool:
    return path.exists() and _sha256(path) == sha256


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
