"""From a silhouette, a cloth and a sheen to a picture: drawn three times too large and reduced, so edges are smooth."""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from infra.synthetic.pictures.drawing import Drawing, Piece, Points, Stroke
from infra.synthetic.pictures.patterns import Cloth, Rgb, blend, weave, with_grain

WIDTH: Final = 128
HEIGHT: Final = 160
OVERSAMPLING: Final = 3
_W: Final = WIDTH * OVERSAMPLING
_H: Final = HEIGHT * OVERSAMPLING
BACKGROUND: Final[Rgb] = (246, 245, 242)
METAL: Final[Rgb] = (190, 178, 150)
SHADOW: Final[Rgb] = (96, 90, 84)
MATT: Final = 0.1  # below this, neither grain nor gloss is seen


def draw_picture(drawing: Drawing, cloth: Cloth, sheen: float) -> Image.Image:
    """Paint a drawing in a cloth; ``sheen`` from 0 (matt) to 1 (glossy)."""
    woven = weave(cloth, _W, _H)
    painted = Image.new("RGB", (_W, _H), BACKGROUND)
    everything = Image.new("L", (_W, _H), 0)  # where anything is painted
    canvas = ImageDraw.Draw(painted)
    whole = ImageDraw.Draw(everything)
    seam = _seam_colour(cloth.base)
    inks = {"seam": seam, "accent": cloth.accent, "metal": METAL, "cloth": cloth.base}
    for mark in drawing.marks:
        if isinstance(mark, Piece):
            _paint_piece(painted, canvas, whole, mark, cloth, woven, seam)
        else:
            _paint_stroke(canvas, whole, mark, inks)
    if cloth.texture == "print":
        _paint_print(canvas, drawing.print_at, cloth)

    # Light and shadow are soft: they are put on after the reduction, a ninth of the work.
    flat, shape = painted.reduce(OVERSAMPLING), everything.reduce(OVERSAMPLING)
    lit = ImageChops.multiply(flat, _folds(cloth.seed % 6))
    if cloth.grain > MATT:
        lit = with_grain(lit, cloth.grain, cloth.seed)
    if sheen > MATT:
        lit = ImageChops.screen(lit, _gloss(round(sheen * 10)))
    picture = Image.new("RGB", (WIDTH, HEIGHT), BACKGROUND)
    blurred = shape.filter(ImageFilter.BoxBlur(4)).point(lambda value: value * 0.28)
    picture.paste(SHADOW, (2, 4), blurred)
    picture.paste(lit, (0, 0), shape)
    return picture


def _paint_piece(
    painted: Image.Image,
    canvas: ImageDraw.ImageDraw,
    whole: ImageDraw.ImageDraw,
    piece: Piece,
    cloth: Cloth,
    woven: Image.Image,
    seam: Rgb,
) -> None:
    outline = _pixels(piece.outline)
    if len(outline) < 3:
        return
    if piece.paint == "cloth" and cloth.texture not in ("solid", "print"):
        xs, ys = [x for x, _ in outline], [y for _, y in outline]
        box = (max(int(min(xs)), 0), max(int(min(ys)), 0), min(int(max(xs)) + 2, _W), min(int(max(ys)) + 2, _H))
        if box[0] < box[2] and box[1] < box[3]:
            mask = Image.new("L", (box[2] - box[0], box[3] - box[1]), 0)
            ImageDraw.Draw(mask).polygon([(x - box[0], y - box[1]) for x, y in outline], fill=255)
            part = woven.crop(box)
            if piece.tone < 1:
                part = part.point(lambda value: value * piece.tone)
            painted.paste(part, box[:2], mask)
    else:
        plain = {
            "cloth": cloth.base,
            "trim": cloth.accent,
            "sole": _sole(cloth.base),
            "metal": METAL,
            "glass": (60, 58, 66),
        }
        canvas.polygon(outline, fill=blend((0, 0, 0), plain[piece.paint], piece.tone))
    canvas.line([*outline, outline[0]], fill=seam, width=3, joint="curve")
    whole.polygon(outline, fill=255)


def _paint_stroke(
    canvas: ImageDraw.ImageDraw, whole: ImageDraw.ImageDraw, stroke: Stroke, inks: dict[str, Rgb]
) -> None:
    line, width = _pixels(stroke.line), max(round(stroke.width * _W), 2)
    for target, fill in ((canvas, inks[stroke.ink]), (whole, 255)):
        if len(line) > 2 or line[0] != line[-1]:
            target.line(line, fill=fill, width=width, joint="curve")
        if width > 4:
            for x, y in (line[0], line[-1]):
                target.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=fill)


def _paint_print(canvas: ImageDraw.ImageDraw, at: tuple[float, float], cloth: Cloth) -> None:
    """A placement print: star, disc, heart or triangle by the cloth's seed."""
    (x, y), size = _pixels(np.array([at]))[0], 34 * cloth.size
    motif = cloth.seed % 4
    if motif == 0:
        angle = -np.pi / 2 + np.arange(10) * np.pi / 5
        radius = np.where(np.arange(10) % 2 == 0, size, size * 0.45)
        canvas.polygon(
            [(x + r * np.cos(a), y + r * np.sin(a)) for r, a in zip(radius, angle, strict=True)], fill=cloth.accent
        )
    elif motif == 1:
        canvas.ellipse((x - size, y - size, x + size, y + size), fill=cloth.accent)
        canvas.ellipse((x - size * 0.6, y - size * 0.6, x + size * 0.6, y + size * 0.6), fill=cloth.base)
    elif motif == 2:
        t = np.linspace(0, 2 * np.pi, 40)
        hx, hy = 16 * np.sin(t) ** 3, -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
        canvas.polygon([(x + a * size / 17, y + b * size / 17) for a, b in zip(hx, hy, strict=True)], fill=cloth.accent)
    else:
        for i in range(3):
            top, right = y - size + i * size * 0.75, x + size * (1 - 0.4 * (i % 2))
            canvas.rectangle((x - size, top, right, top + size * 0.4), fill=cloth.accent)


def _pixels(points: Points) -> list[tuple[float, float]]:
    scale = _W * 0.98
    return [(float(x) * scale + _W / 2, float(y) * scale + (_H - 1.25 * scale) / 2) for x, y in points]


def _seam_colour(base: Rgb) -> Rgb:
    return blend(base, (0, 0, 0), 0.28) if sum(base) > 240 else blend(base, (255, 255, 255), 0.24)


def _sole(base: Rgb) -> Rgb:
    return (236, 232, 224) if sum(base) < 600 else (196, 170, 140)


@lru_cache(maxsize=8)
def _folds(variant: int) -> Image.Image:
    """Soft light from the left and a few vertical folds, to be multiplied in."""
    rng = np.random.default_rng(variant)
    x = np.linspace(-1, 1, WIDTH)[None, :]
    y = np.linspace(0, 1, HEIGHT)[:, None]
    light = 0.97 - 0.07 * x - 0.05 * y
    for _ in range(5):
        centre, lean, width = rng.uniform(-0.5, 0.5), rng.uniform(-0.15, 0.15), rng.uniform(0.03, 0.09)
        light = light - 0.045 * np.exp(-0.5 * ((x - centre - lean * y) / width) ** 2) * np.clip(y * 1.6, 0, 1)
    grey = Image.fromarray((np.clip(light, 0, 1) * 255).astype(np.uint8))
    return Image.merge("RGB", (grey, grey, grey))


@lru_cache(maxsize=16)
def _gloss(strength: int) -> Image.Image:
    """Bright slanting streaks, to be screened in."""
    x = np.linspace(-1, 1, WIDTH)[None, :]
    y = np.linspace(-1, 1, HEIGHT)[:, None]
    streak = np.exp(-0.5 * ((x + 0.35 * y + 0.18) / 0.06) ** 2) + 0.6 * np.exp(
        -0.5 * ((x + 0.35 * y - 0.22) / 0.035) ** 2
    )
    grey = Image.fromarray((np.clip(streak, 0, 1) * 13 * strength).astype(np.uint8))
    return Image.merge("RGB", (grey, grey, grey))
