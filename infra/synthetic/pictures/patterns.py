"""Cloth: a colour and a pattern as a picture, from which pieces are cut."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

Rgb = tuple[int, int, int]


@dataclass(frozen=True)
class Cloth:
    """What an article is made of: pattern, base and second colour, pattern size (1 is usual), grain and a seed."""

    texture: str
    base: Rgb
    accent: Rgb
    size: float
    grain: float  # 0 smooth to 1 rough
    seed: int


def weave(cloth: Cloth, width: int, height: int) -> Image.Image:
    """The cloth as a picture of ``width`` by ``height`` pixels."""
    rng = np.random.default_rng(cloth.seed)
    image = Image.new("RGB", (width, height), cloth.base)
    painter = _PAINTERS.get(cloth.texture)
    if painter:
        painter(image, ImageDraw.Draw(image), cloth, rng)
    return image


def with_grain(image: Image.Image, strength: float, seed: int) -> Image.Image:
    """Speckle, as of melange yarn or linen, ``strength`` from 0 to 1."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (image.height, image.width), dtype=np.uint8)
    speckle = np.clip((noise.astype(np.int16) - 128) * (0.28 * strength), -60, 60).astype(np.int16)
    pixels = np.asarray(image, dtype=np.int16) + speckle[:, :, None]
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _stripe(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    pitch = int(34 * cloth.size)
    upright = rng.random() < 0.3
    for at in range(0, max(image.size), pitch):
        box = (at, 0, at + pitch * 0.42, image.height) if upright else (0, at, image.width, at + pitch * 0.42)
        draw.rectangle(box, fill=cloth.accent)


def _dots(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    pitch = 34 * cloth.size
    radius = pitch * 0.22
    for row in range(int(image.height / pitch) + 2):
        for column in range(int(image.width / pitch) + 2):
            x, y = (column + 0.5 * (row % 2)) * pitch, row * pitch
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=cloth.accent)


def _check(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    pitch = int(48 * cloth.size)
    half = blend(cloth.base, cloth.accent, 0.45)
    for x in range(0, image.width, pitch):
        draw.rectangle((x, 0, x + pitch * 0.45, image.height), fill=half)
    for y in range(0, image.height, pitch):
        draw.rectangle((0, y, image.width, y + pitch * 0.45), fill=half)
    for x in range(0, image.width, pitch):
        for y in range(0, image.height, pitch):
            draw.rectangle((x, y, x + pitch * 0.45, y + pitch * 0.45), fill=cloth.accent)


def _floral(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    pitch = 56 * cloth.size
    petal_colours = (cloth.accent, blend(cloth.accent, (255, 255, 255), 0.4), blend(cloth.accent, (220, 90, 110), 0.5))
    leaf = blend((92, 128, 84), cloth.base, 0.25)
    for row in range(-1, int(image.height / pitch) + 2):
        for column in range(-1, int(image.width / pitch) + 2):
            jitter = rng.uniform(-0.25, 0.25, 2) * pitch
            x, y = (column + 0.5 * (row % 2)) * pitch + jitter[0], row * pitch + jitter[1]
            turn, size = rng.uniform(0, 6.3), pitch * rng.uniform(0.16, 0.24)
            for side in (0.8, 2.6):
                lx, ly = x + np.cos(turn + side) * size * 2.1, y + np.sin(turn + side) * size * 2.1
                draw.ellipse((lx - size * 0.6, ly - size * 0.36, lx + size * 0.6, ly + size * 0.36), fill=leaf)
            fill = petal_colours[int(rng.integers(3))]
            for petal in range(5):
                angle = turn + petal * 2 * np.pi / 5
                px, py = x + np.cos(angle) * size, y + np.sin(angle) * size
                draw.ellipse((px - size * 0.72, py - size * 0.72, px + size * 0.72, py + size * 0.72), fill=fill)
            draw.ellipse((x - size * 0.45, y - size * 0.45, x + size * 0.45, y + size * 0.45), fill=(244, 208, 110))


def _denim(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    light = blend(cloth.base, (255, 255, 255), 0.13)
    for at in range(-image.height, image.width, 9):
        draw.line((at, image.height, at + image.height, 0), fill=light, width=3)


def _blocks(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    at = image.height * rng.uniform(0.36, 0.52)
    draw.rectangle((0, 0, image.width, at), fill=cloth.accent)
    draw.rectangle((0, at, image.width, at + 16), fill=blend(cloth.accent, (255, 255, 255), 0.75))


def _lace(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    hole = blend(cloth.base, (252, 238, 228) if sum(cloth.base) < 450 else (190, 170, 160), 0.5)
    pitch = 24 * cloth.size
    for row in range(int(image.height / pitch) + 2):
        for column in range(int(image.width / pitch) + 2):
            x, y = (column + 0.5 * (row % 2)) * pitch, row * pitch
            for angle in (0.8, 2.4, 3.9, 5.5):
                px, py = x + np.cos(angle) * pitch * 0.23, y + np.sin(angle) * pitch * 0.23
                draw.ellipse((px - pitch * 0.13, py - pitch * 0.13, px + pitch * 0.13, py + pitch * 0.13), fill=hole)


def _glitter(image: Image.Image, draw: ImageDraw.ImageDraw, cloth: Cloth, rng: np.random.Generator) -> None:
    spots = rng.uniform(0, 1, (900, 3))
    for x, y, light in spots:
        px, py, radius = x * image.width, y * image.height, 2 + 3 * light
        fill = blend(cloth.base, (255, 250, 225), 0.35 + 0.6 * light)
        draw.ellipse((px - radius, py - radius, px + radius, py + radius), fill=fill)


_PAINTERS = {
    "stripe": _stripe,
    "dots": _dots,
    "check": _check,
    "floral": _floral,
    "denim": _denim,
    "blocks": _blocks,
    "lace": _lace,
    "glitter": _glitter,
}


def blend(first: Rgb, second: Rgb, share: float) -> Rgb:
    """``share`` of the second colour in the first."""
    mixed = (round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
    red, green, blue = mixed
    return red, green, blue
