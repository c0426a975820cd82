"""All pictures of a catalogue, drawn in parallel into the Kaggle folders ``0NN/0NNNNNNNNN.jpg``."""

from __future__ import annotations

from pathlib import Path

from infra.synthetic.catalogue import Catalogue


def draw_pictures(catalogue: Catalogue, images_dir: Path, seed: int) -> None:
    """Draw a picture of every article."""
