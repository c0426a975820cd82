"""Pictures show type, colour, pattern and the latent cut."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from infra.synthetic.catalogue import Catalogue, make_catalogue
from infra.synthetic.pictures.album import Sitter, draw_pictures, picture, sitters
from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.draw import BACKGROUND, HEIGHT, WIDTH, colours_of
from infra.synthetic.pictures.silhouettes import CLOTHS, SILHOUETTES, Silhouette
from infra.synthetic.vocabulary import COLOURS, KINDS, PATTERNS


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return make_catalogue(articles=500, days=30, seed=2)


@pytest.fixture(scope="module")
def sitter(catalogue: Catalogue) -> Sitter:
    return next(each for each in sitters(catalogue, seed=2) if each.silhouette == "dress")


def pixels(sitter: Sitter) -> np.ndarray:
    return np.asarray(picture(sitter), dtype=np.float32)


def difference(first: Sitter, second: Sitter) -> float:
    return float(np.abs(pixels(first) - pixels(second)).mean())


def test_every_kind_has_a_silhouette_of_its_own(sitter: Sitter) -> None:
    assert {kind.silhouette for kind in KINDS} == set(SILHOUETTES)
    shapes = {name: pixels(replace(sitter, silhouette=name)) for name in SILHOUETTES}
    names = sorted(shapes)
    for i, first in enumerate(names):
        for second in names[i + 1 :]:
            assert np.abs(shapes[first] - shapes[second]).mean() > 0.7, (first, second)


@pytest.mark.parametrize("silhouette", SILHOUETTES.values(), ids=SILHOUETTES)
def test_some_cut_shows_each_mark(silhouette: Silhouette) -> None:
    both = (-0.9, 0.9)
    cuts = [
        Cut(romantic, sporty, loose, covered, bold, glossy, child, man)
        for romantic, sporty, loose, covered, bold, glossy in product(both, both, both, both, both, both)
        for child, man in product((False, True), repeat=2)
    ]
    shown = {id(mark) for cut in cuts for mark, _ in silhouette.shown(cut)}
    assert shown == {id(mark) for mark in silhouette.marks}


def test_every_paint_has_a_colour(sitter: Sitter) -> None:
    drawings = [*SILHOUETTES.values(), *CLOTHS.values()]
    paints = {mark.paint for drawing in drawings for mark in drawing.marks}
    assert paints <= set(colours_of(sitter.cloth, sitter.cut))


def test_pictures_differ_by_colour_and_pattern(sitter: Sitter) -> None:
    plain = replace(sitter, cloth=replace(sitter.cloth, texture="solid", base=(196, 44, 48)))
    assert difference(plain, replace(plain, cloth=replace(plain.cloth, base=(38, 51, 88)))) > 5
    for texture in {pattern.texture for pattern in PATTERNS} - {"solid", "melange"}:
        patterned = replace(plain, cloth=replace(plain.cloth, texture=texture))
        assert difference(plain, patterned) > 0.3, texture


def _to(direction: str, value: float) -> dict[str, Any]:
    return {direction: value}


@pytest.mark.parametrize("direction", ["romantic", "sporty", "loose", "covered", "bold", "glossy"])
def test_every_style_direction_can_be_seen(sitter: Sitter, direction: str) -> None:
    low = replace(sitter, cut=replace(sitter.cut, **_to(direction, -0.9)))
    high = replace(sitter, cut=replace(sitter.cut, **_to(direction, 0.9)))
    assert difference(low, high) > 0.7


def test_nothing_leaves_the_picture(catalogue: Catalogue) -> None:
    for each in sitters(catalogue, seed=2)[::5]:
        image = pixels(each)
        edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
        assert np.abs(edge - BACKGROUND).max() < 40, each


def test_the_middle_colour_of_a_picture_tells_the_colour_group(catalogue: Catalogue) -> None:
    right = counted = 0
    palette = np.array([colour.rgb for colour in COLOURS], dtype=np.float32)
    for i, each in enumerate(sitters(catalogue, seed=2)):
        if each.cloth.texture != "solid":
            continue
        image = pixels(each).reshape(-1, 3)
        garment = image[np.abs(image - BACKGROUND).sum(axis=1) > 12]
        guess = int(np.abs(palette - np.median(garment, axis=0)).sum(axis=1).argmin())
        right += COLOURS[guess].master == COLOURS[catalogue.colours[i]].master
        counted += 1
    assert right > 0.7 * counted  # chance would be about 0.15


def test_every_article_gets_its_picture_where_kaggle_has_it(catalogue: Catalogue, tmp_path: Path) -> None:
    draw_pictures(catalogue, tmp_path, seed=2)
    for article_id in catalogue.article_ids.tolist():
        assert (tmp_path / article_id[:3] / f"{article_id}.jpg").exists()
    with Image.open(tmp_path / article_id[:3] / f"{article_id}.jpg") as image:
        assert image.format == "JPEG"
        assert image.size == (WIDTH, HEIGHT)
