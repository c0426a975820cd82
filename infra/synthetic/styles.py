"""Style: the six latent directions in which articles differ and customers have tastes, and the words that betray them.

A style vector has one standard-normal coordinate per direction. Codes hint at it (the section follows the nearest
cluster), descriptions name its strong coordinates now and then, and the picture draws all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Direction:
    """One latent direction: what its ends are called and the words found in descriptions at either end."""

    low: str
    high: str
    low_words: tuple[str, ...]
    high_words: tuple[str, ...]


DIRECTIONS: Final = (
    Direction(
        "minimal", "romantic",
        ("clean lines", "a minimalist cut", "no visible seams", "a concealed fastening"),
        ("frill trims", "scalloped edges", "delicate flounces", "softly gathered details"),
    ),
    Direction(
        "dressy", "sporty",
        ("a tailored look", "pressed creases", "elegant draping", "a dressy finish"),
        ("contrasting side stripes", "ribbed cuffs", "a sporty drawstring", "colour-block bands"),
    ),
    Direction(
        "fitted", "loose",
        ("Fitted.", "Slim fit.", "Close-fitting silhouette.", "Shaped at the waist."),
        ("Oversized.", "Relaxed fit.", "Generously cut.", "Boxy silhouette."),
    ),
    Direction(
        "light", "modest",
        ("Short", "Cropped", "Cut-out", "Mini"),
        ("Long", "Full-length", "High-cut", "Maxi"),
    ),
    Direction(
        "classic", "bold",
        ("a timeless shape", "classic buttons", "a preppy touch", "traditional detailing"),
        ("an asymmetric edge", "exposed zips", "metal studs", "raw edges"),
    ),
    Direction(
        "natural", "glossy",
        ("organic cotton", "a linen blend", "slubbed cotton", "soft wool-blend yarn"),
        ("shimmering satin", "glossy viscose", "coated fabric", "silky crêpe"),
    ),
)  # fmt: skip
DIMENSIONS: Final = len(DIRECTIONS)
CLUSTERS: Final = 6

# Style clusters: the looks that shops build collections around, and outfits are put together within.
CENTRES: Final[NDArray[np.float32]] = np.array(
    [  # romantic sporty loose covered edgy glossy
        [0.0, 0.4, 0.5, 0.2, -0.9, -1.1],  # everyday natural
        [-0.8, -1.3, -0.6, 0.7, -0.6, 0.6],  # tailored
        [-0.4, 1.4, 1.0, -0.3, 0.1, -0.3],  # sporty casual
        [0.1, -0.2, 0.1, -1.1, 1.4, 1.0],  # bold trend
        [1.4, -0.6, -0.2, 0.4, -0.1, 0.5],  # romantic
        [-1.0, 0.1, -0.8, -0.2, 0.2, -0.4],  # minimal basics
    ],
    dtype=np.float32,
)


def nearest_cluster(style: NDArray[np.float32]) -> NDArray[np.int8]:
    """The cluster whose centre is nearest to each style vector [n, 6] -> [n]."""
    distance = ((style[:, None, :] - CENTRES[None]) ** 2).sum(axis=2)
    return distance.argmin(axis=1).astype(np.int8)
