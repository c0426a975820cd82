"""From a silhouette, its cut and a cloth to a picture: drawn three times too large and reduced, so edges are smooth."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.silhouettes import CLOTHS, Mark, Points, Silhouette

Rgb = tuple[int, int, int]

WIDTH: Final = 128
HEIGHT: Final = 160
OVERSAMPLING: Final = 3
_W, _H = WIDTH * OVERSAMPLING, HEIGHT * OVERSAMPLING
_PX: Final = 0.98 * _W / 1000  # pixels per unit of a silhouette
BACKGROUND: Final[Rgb] = (246, 245, 242)
SHADOW: Final[Rgb] = (96, 90, 84)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
MATT: Final = 0.1  # below this, neither grain nor gloss is seen


@dataclass(frozen=True)
class Cloth:
    """What an article is made of: pattern, base and second colour, pattern size (1 is usual), grain and a seed."""

    texture: str
    base: Rgb
    accent: Rgb
    size: float
    grain: float  # 0 smooth to 1 rough
    seed: int


def draw_picture(silhouette: Silhouette, cut: Cut, cloth: Cloth) -> Image.Image:
    """Paint a silhouette as cut, in the middle of the picture and no larger than fits."""
    flat, shape = _painted(silhouette, cut, cloth)
    # Light and shadow are soft: they are put on after the reduction, a ninth of the work.
    lit = ImageChops.multiply(flat, _folds(cloth.seed % 6))
    if cloth.grain > MATT:
        lit = _with_grain(lit, cloth.grain, cloth.seed)
    if cut.glossy > MATT:
        lit = ImageChops.screen(lit, _gloss(round(cut.glossy * 10)))
    picture = Image.new("RGB", (WIDTH, HEIGHT), BACKGROUND)
    picture.paste(SHADOW, (2, 4), shape.filter(ImageFilter.BoxBlur(4)).point(lambda value: value * 0.28))
    picture.paste(lit, (0, 0), shape)
    return picture


def _painted(silhouette: Silhouette, cut: Cut, cloth: Cloth) -> tuple[Image.Image, Image.Image]:
    """The garment in colour, and where it is (white on black)."""
    shown = silhouette.shown(cut)
    corners = np.vstack([outline for _, outline in shown])
    low, high = corners.min(axis=0), corners.max(axis=0)
    scale = min(1, *((920, 1170) / (high - low))) * _PX * np.array((0.92, 0.8) if cut.child else (1, 1))
    middle = np.array((_W / 2, _H / 2)) - (low + high) / 2 * scale

    colours = colours_of(cloth, cut)
    variants = [each for name, each in CLOTHS.items() if name.split("-")[0] == cloth.texture]
    design = variants[cloth.seed % len(variants)] if variants else None
    woven = _woven(design, cloth, colours) if design and design.tile else None
    painted, everything = Image.new("RGB", (_W, _H), BACKGROUND), Image.new("L", (_W, _H))
    canvas, whole = ImageDraw.Draw(painted), ImageDraw.Draw(everything)
    for mark, outline in shown:
        points = outline * scale + middle
        if woven and not mark.width and colours[mark.paint] == cloth.base:
            _paint_woven(painted, woven, mark, points)
        else:
            _paint(canvas, mark, points, blend(BLACK, colours[mark.paint], mark.tone), scale[0])
        if not mark.width:
            canvas.line([*map(tuple, points), tuple(points[0])], fill=colours["seam"], width=3, joint="curve")
        _paint(whole, mark, points, 255, scale[0])
    if design and not design.tile and silhouette.print_at:
        for mark in design.marks:
            points = silhouette.print_at * scale + middle + mark.shapes["d"] * _PX * cloth.size
            _paint(canvas, mark, points, colours[mark.paint], _PX)
    return painted.reduce(OVERSAMPLING), everything.reduce(OVERSAMPLING)


def _paint(canvas: ImageDraw.ImageDraw, mark: Mark, points: Points, fill: Rgb | int, scale: float) -> None:
    line = [(x, y) for x, y in points.tolist()]
    width = max(round(mark.width * scale), 2)
    if not mark.width:
        canvas.polygon(line, fill=fill)
    elif len(line) > 2 or line[0] != line[1]:
        canvas.line(line, fill=fill, width=width, joint="curve")
    if mark.width and width > 4:
        for x, y in (line[0], line[-1]):
            canvas.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)


def _paint_woven(painted: Image.Image, woven: Image.Image, mark: Mark, points: Points) -> None:
    left, top = points.min(axis=0).astype(int).tolist()
    right, bottom = (points.max(axis=0).astype(int) + 2).tolist()
    mask = Image.new("L", (right - left, bottom - top))
    ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in points.tolist()], fill=255)
    part = woven.crop((left, top, right, bottom))
    painted.paste(part.point(lambda value: value * mark.tone) if mark.tone < 1 else part, (left, top), mask)


def _woven(design: Silhouette, cloth: Cloth, colours: dict[str, Rgb]) -> Image.Image:
    """The cloth from which pieces are cut: one tile again and again, the first in the middle."""
    tile_size = np.array(design.tile)
    width, height = np.rint(tile_size * _PX * cloth.size).astype(int).tolist()
    tile = Image.new("RGB", (width, height), cloth.base)
    canvas = ImageDraw.Draw(tile)
    for mark in design.marks:
        points = mark.shapes["d"] * ((width, height) / tile_size)
        reach = mark.width * _PX * cloth.size / 2 + 1
        low, high = points.min(axis=0) - reach, points.max(axis=0) + reach
        for shift in ((x, y) for x in (-width, 0, width) for y in (-height, 0, height)):  # what leaves comes in again
            if (high + shift > 0).all() and (low + shift < (width, height)).all():
                _paint(canvas, mark, points + shift, colours[mark.paint], _PX * cloth.size)
    woven = Image.new("RGB", (_W, _H))
    for x in range((_W - width) // 2 % width - width, _W, width):
        for y in range((_H - height) // 2 % height - height, _H, height):
            woven.paste(tile, (x, y))
    return woven


def colours_of(cloth: Cloth, cut: Cut) -> dict[str, Rgb]:
    """The colour of every paint that the drawings name."""
    base, accent, light = cloth.base, cloth.accent, sum(cloth.base)
    seam = blend(base, BLACK, 0.28) if light > 240 else blend(base, WHITE, 0.24)
    metal = (190, 178, 150)
    return {
        "cloth": base,
        "trim": accent,
        "cuff": accent if cut.sporty > 0.3 else base,
        "seam": seam,
        "rim": accent if cut.sporty > 0.3 else seam,
        "metal": metal,
        "button": metal if cut.glossy > 0.2 else seam,
        "sole": (236, 232, 224) if light < 600 else (196, 170, 140),
        "glass": (60, 58, 66),
        "half": blend(base, accent, 0.45),
        "pale": blend(accent, WHITE, 0.4),
        "paler": blend(accent, WHITE, 0.75),
        "rosy": blend(accent, (220, 90, 110), 0.5),
        "pollen": (244, 208, 110),
        "leaf": blend((92, 128, 84), base, 0.25),
        "thread": blend(base, WHITE, 0.13),
        "hole": blend(base, (252, 238, 228) if light < 450 else (190, 170, 160), 0.5),
        "glint": blend(base, (255, 250, 225), 0.45),
        "spark": blend(base, (255, 250, 225), 0.65),
        "flash": blend(base, (255, 250, 225), 0.85),
    }


def _with_grain(image: Image.Image, strength: float, seed: int) -> Image.Image:
    """Speckle, as of melange yarn or linen, ``strength`` from 0 to 1."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, 1), dtype=np.uint8)
    speckle = np.clip((noise.astype(np.int16) - 128) * (0.28 * strength), -60, 60).astype(np.int16)
    return Image.fromarray(np.clip(np.asarray(image, dtype=np.int16) + speckle, 0, 255).astype(np.uint8))


@lru_cache(maxsize=8)
def _folds(variant: int) -> Image.Image:
    """Soft light from the left and a few vertical folds, to be multiplied in."""
    rng = np.random.default_rng(variant)
    x, y = np.linspace(-1, 1, WIDTH)[None, :], np.linspace(0, 1, HEIGHT)[:, None]
    light = 0.97 - 0.07 * x - 0.05 * y
    for _ in range(5):
        centre, lean, width = rng.uniform(-0.5, 0.5), rng.uniform(-0.15, 0.15), rng.uniform(0.03, 0.09)
        light = light - 0.045 * np.exp(-0.5 * ((x - centre - lean * y) / width) ** 2) * np.clip(y * 1.6, 0, 1)
    return Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8)).convert("RGB")


@lru_cache(maxsize=16)
def _gloss(strength: int) -> Image.Image:
    """Bright slanting streaks, to be screened in."""
    at = np.linspace(-1, 1, WIDTH)[None, :] + 0.35 * np.linspace(-1, 1, HEIGHT)[:, None]
    streak = np.exp(-0.5 * ((at + 0.18) / 0.06) ** 2) + 0.6 * np.exp(-0.5 * ((at - 0.22) / 0.035) ** 2)
    return Image.fromarray((np.clip(streak, 0, 1) * 13 * strength).astype(np.uint8)).convert("RGB")


def blend(first: Rgb, second: Rgb, share: float) -> Rgb:
    """``share`` of the second colour in the first."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    return red, green, blue
