"""Runs a backbone over many pictures; killed halfway, it goes on where it was."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from infra.base.progress import progress_bar
from towers.images.backbone import Backbone
from towers.images.pictures import BrokenPictureError, Picture, read_square

Vector = npt.NDArray[np.float32]

BATCH_PICTURES = 32
PART_PICTURES = 512  # a kill costs at most so many pictures
_BATCHES_AHEAD = 2


@dataclass(frozen=True)
class EmbeddedPictures:
    """Embeddings of those pictures that could be read, in the order given."""

    article_ids: list[str]
    vectors: npt.NDArray[np.float32]  # [n, dim]
    broken: dict[str, str]  # article id -> what is wrong with its picture
    from_cache: int


def embed_pictures(backbone: Backbone, pictures: Sequence[Picture], cache_dir: Path) -> EmbeddedPictures:
    """Embed all pictures that ``cache_dir`` does not hold yet.

    A picture is known again by article, file size and time of change, within a folder of its own for each backbone
    and its weights.
    """
    cache = EmbeddingCache(cache_dir / f"{backbone.name}-{backbone.weights_digest[:12]}")
    known = cache.load(pictures)
    from_cache = len(known)
    missing = [picture for picture in pictures if picture.article_id not in known]
    broken: dict[str, str] = {}
    with progress_bar(f"embed pictures ({backbone.name})", len(pictures)) as advance:
        advance(from_cache)
        for part in _in_runs(missing, PART_PICTURES):
            embedded: dict[str, Vector] = {}
            for batch, images, failures in _decoded_batches(part, backbone.input_size):
                if batch:
                    vectors = backbone.embed(images)
                    embedded |= {picture.article_id: row for picture, row in zip(batch, vectors, strict=True)}
                broken |= failures
                advance(len(batch) + len(failures))
            cache.store([picture for picture in part if picture.article_id in embedded], embedded)
            known |= embedded
    article_ids = [picture.article_id for picture in pictures if picture.article_id in known]
    vectors = np.stack([known[a] for a in article_ids]) if article_ids else np.zeros((0, backbone.dim), np.float32)
    return EmbeddedPictures(article_ids, vectors, broken, from_cache)


class EmbeddingCache:
    """Parts of embedded pictures as files that are either whole or not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def load(self, pictures: Sequence[Picture]) -> dict[str, Vector]:
        """Embeddings by article of those pictures whose file is as it was when it was embedded."""
        wanted = {(picture.article_id, picture.size_bytes, picture.changed_ns) for picture in pictures}
        found: dict[str, Vector] = {}
        for path in sorted(self._folder.glob("part-*.npz")):
            with np.load(path, allow_pickle=False) as part:
                keys = zip(part["article_ids"].tolist(), part["sizes"].tolist(), part["changes"].tolist(), strict=True)
                found |= {key[0]: row for key, row in zip(keys, part["vectors"], strict=True) if key in wanted}
        return found

    def store(self, pictures: Sequence[Picture], vectors: dict[str, Vector]) -> None:
        """Write one part atomically."""
        if not pictures:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        article_ids = [picture.article_id for picture in pictures]
        sizes = np.array([picture.size_bytes for picture in pictures])
        changes = np.array([picture.changed_ns for picture in pictures])
        name = hashlib.sha256("".join(article_ids).encode() + sizes.tobytes() + changes.tobytes()).hexdigest()[:16]
        path = self._folder / f"part-{name}.npz"
        partial = path.with_suffix(f".{os.getpid()}.partial")
        rows = np.stack([vectors[article_id] for article_id in article_ids])
        with partial.open("wb") as file:
            np.savez(file, article_ids=np.array(article_ids), sizes=sizes, changes=changes, vectors=rows)
        partial.replace(path)


def _in_runs(pictures: Sequence[Picture], size: int) -> Iterator[Sequence[Picture]]:
    return (pictures[start : start + size] for start in range(0, len(pictures), size))


DecodedBatch = tuple[list[Picture], npt.NDArray[np.uint8], dict[str, str]]


def _decoded_batches(pictures: Sequence[Picture], size_px: int) -> Iterator[DecodedBatch]:
    """Batches of readable pictures and what was wrong with the others, decoded ahead of the network."""
    waiting: deque[list[tuple[Picture, Future[npt.NDArray[np.uint8]]]]] = deque()
    with ThreadPoolExecutor(min(8, os.cpu_count() or 1), "decode") as pool:
        for batch in _in_runs(pictures, BATCH_PICTURES):
            waiting.append([(picture, pool.submit(read_square, picture.path, size_px)) for picture in batch])
            if len(waiting) > _BATCHES_AHEAD:
                yield _collect(waiting.popleft())
        while waiting:
            yield _collect(waiting.popleft())


def _collect(batch: list[tuple[Picture, Future[npt.NDArray[np.uint8]]]]) -> DecodedBatch:
    readable: list[Picture] = []
    images: list[npt.NDArray[np.uint8]] = []
    failures: dict[str, str] = {}
    for picture, image in batch:
        try:
            images.append(image.result())
            readable.append(picture)
        except BrokenPictureError as error:
            failures[picture.article_id] = str(error)
    return readable, np.stack(images) if images else np.zeros((0, 1, 1, 3), np.uint8), failures
