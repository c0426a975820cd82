"""All pictures of a catalogue, drawn in parallel into the Kaggle folders ``0NN/0NNNNNNNNN.jpg``."""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from infra.base.progress import track
from infra.synthetic.catalogue import Catalogue
from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.draw import Cloth, Rgb, blend, draw_picture
from infra.synthetic.pictures.silhouettes import SILHOUETTES
from infra.synthetic.seeds import generator
from infra.synthetic.vocabulary import COLOURS, GROUPS, KINDS, PATTERNS

JPEG_QUALITY = 88


@dataclass(frozen=True)
class Sitter:
    """What the picture of one article needs."""

    article_id: str
    silhouette: str
    cut: Cut
    cloth: Cloth


def draw_pictures(catalogue: Catalogue, images_dir: Path, seed: int) -> None:
    """Draw a picture of every article."""
    for folder in {article_id[:3] for article_id in catalogue.article_ids.tolist()}:
        (images_dir / folder).mkdir(parents=True, exist_ok=True)
    jobs = [(each, images_dir / each.article_id[:3] / f"{each.article_id}.jpg") for each in sitters(catalogue, seed)]
    # Spawned rather than forked: the caller may have threads of its own.
    with multiprocessing.get_context("spawn").Pool(os.cpu_count()) as pool:
        for _ in track(pool.imap_unordered(_draw_one, jobs, chunksize=32), "pictures", total=len(jobs)):
            pass


def picture(sitter: Sitter) -> Image.Image:
    """The picture of one article."""
    return draw_picture(SILHOUETTES[sitter.silhouette], sitter.cut, sitter.cloth)


def sitters(catalogue: Catalogue, seed: int) -> list[Sitter]:
    """What to draw for every article, in the catalogue's order."""
    rng = generator(seed, "cloth")
    # The second colour and the pattern's seed belong to the product: its colours share a design.
    products = int(catalogue.products.max()) + 1
    hues = rng.integers(len(_SECOND_COLOURS), size=products)
    seeds = rng.integers(1 << 30, size=products)
    made = []
    for i, article_id in enumerate(catalogue.article_ids.tolist()):
        product = catalogue.products[i]
        cut = Cut.of(catalogue.styles[i], GROUPS[catalogue.groups[i]].name)
        base = COLOURS[catalogue.colours[i]].rgb
        texture = PATTERNS[catalogue.patterns[i]].texture
        cloth = Cloth(
            texture=texture,
            base=base,
            accent=_second_colour(base, int(hues[product])),
            size=1.0 if texture == "denim" else float(np.exp(0.4 * cut.bold)),
            grain=max(-cut.glossy * 0.6, _GRAINY.get(texture, 0.0)),
            seed=int(seeds[product]),
        )
        made.append(Sitter(article_id, KINDS[catalogue.kinds[i]].silhouette, cut, cloth))
    return made


_SECOND_COLOURS: tuple[Rgb, ...] = (
    (250, 248, 244), (32, 34, 44), (188, 60, 66), (232, 190, 92), (70, 104, 150), (236, 186, 190),
)  # fmt: skip
_GRAINY = {"melange": 0.9, "denim": 0.5}


def _second_colour(base: Rgb, hue: int) -> Rgb:
    """A colour that can be told from the base: the wanted one, or one lighter or darker."""
    wanted = _SECOND_COLOURS[hue]
    if sum(abs(a - b) for a, b in zip(base, wanted, strict=True)) > 170:
        return wanted
    return blend(base, (255, 255, 255) if sum(base) < 360 else (20, 22, 34), 0.72)


def _draw_one(job: tuple[Sitter, Path]) -> None:
    sitter, path = job
    picture(sitter).save(path, quality=JPEG_QUALITY)
