"""Where articles' pictures lie and how they become arrays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps


@dataclass(frozen=True)
class Picture:
    """A picture file as it lies on disk; a changed file has another size or time of change."""

    article_id: str
    path: Path
    size_bytes: int
    changed_ns: int


class BrokenPictureError(Exception):
    """The file is no picture that Pillow can read."""


def picture_path(images_dir: Path, article_id: str) -> Path:
    """The layout of Kaggle's files: ``images/010/0108775015.jpg``."""
    return images_dir / article_id[:3] / f"{article_id}.jpg"


def find_pictures(images_dir: Path, article_ids: Iterable[str]) -> list[Picture]:
    """Pictures of those articles that have one, in the order given."""
    found = []
    for article_id in article_ids:
        path = picture_path(images_dir, article_id)
        try:
            status = path.stat()
        except OSError:  # not there, or in a folder that must not be read
            continue
        found.append(Picture(article_id, path, status.st_size, status.st_mtime_ns))
    return found


def open_picture(path: Path, at_least_px: int) -> Image.Image:
    """The picture in RGB; large JPEGs are decoded at a fraction of their size, down to ``at_least_px`` a side.

    Raises:
        BrokenPictureError: it cannot be read.
    """
    try:
        with Image.open(path) as image:
            image.draft("RGB", (at_least_px, at_least_px))
            return ImageOps.exif_transpose(image).convert("RGB")
    except Exception as error:  # Pillow's decoders raise whatever they stumble over in a damaged file
        raise BrokenPictureError(f"{path}: {error or type(error).__name__}") from error


def read_square(path: Path, size_px: int) -> npt.NDArray[np.uint8]:
    """The whole picture as uint8 [size_px, size_px, 3].

    Its shape is kept; what the longer side leaves free is filled with the colour of the picture's own edge, so that
    a garment on white stays a garment on white.
    """
    image = open_picture(path, size_px)
    scale = size_px / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    pixels = np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=3.0))
    top, left = (size_px - height) // 2, (size_px - width) // 2
    square = np.empty((size_px, size_px, 3), np.uint8)
    square[:] = np.median(_border(pixels), axis=0).astype(np.uint8)
    square[top : top + height, left : left + width] = pixels
    return square


def _border(pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    return np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])  # [*, 3]
