"""Small pictures of articles, and a tile in the article's colour where there is no picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from towers.images.pictures import BrokenPictureError, open_picture, picture_path
from towers.reports.lettering import fit_lines, font

# Words of H&M's colour names; "Dark Blue", "Light Turquoise" and the like are mixed from them.
_COLOURS = {
    "black": (38, 38, 40), "white": (245, 244, 240), "grey": (148, 150, 152), "blue": (62, 104, 168),
    "turquoise": (72, 173, 178), "green": (86, 137, 92), "khaki": (124, 120, 86), "yellow": (236, 205, 92),
    "orange": (226, 133, 67), "red": (186, 52, 54), "pink": (228, 152, 176), "purple": (128, 92, 152),
    "lilac": (178, 156, 206), "beige": (219, 202, 176), "brown": (124, 88, 64), "mole": (136, 122, 112),
    "gold": (201, 166, 92), "silver": (192, 195, 199), "bronze": (150, 108, 62), "metal": (170, 172, 174),
}  # fmt: skip
_UNKNOWN = (206, 202, 196)


def colour_rgb(name: str) -> tuple[int, int, int]:
    """An RGB colour for a colour group's name such as "Dark Blue"; a neutral one for unknown names."""
    words = name.lower().replace("/", " ").replace("-ish", "").replace("ish", "").split()
    rgb = np.mean([_COLOURS[word] for word in words if word in _COLOURS] or [_UNKNOWN], axis=0)
    if "dark" in words:
        rgb = rgb * 0.6
    if "light" in words:
        rgb = 255 - (255 - rgb) * 0.55
    red, green, blue = (int(part) for part in rgb)
    return red, green, blue


def thumbnail(
    images_dir: Path, article_id: str, size_px: tuple[int, int], name: str = "", colour: str = ""
) -> Image.Image:
    """The article's picture in RGB, whole, on a ground of its own edge's colour; ``size_px`` is width and height."""
    try:
        picture = open_picture(picture_path(images_dir, article_id), max(size_px))
    except BrokenPictureError:
        return _placeholder(size_px, name, colour)
    scale = min(size_px[0] / picture.width, size_px[1] / picture.height)
    fitted = picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))), Image.Resampling.LANCZOS
    )
    edge = np.asarray(fitted)[:, [0, -1]].reshape(-1, 3)
    ground = Image.new("RGB", size_px, tuple(int(part) for part in np.median(edge, axis=0)))
    ground.paste(fitted, ((size_px[0] - fitted.width) // 2, (size_px[1] - fitted.height) // 2))
    return ground


def rounded(picture: Image.Image, radius_px: int) -> Image.Image:
    """A mask with round corners for pasting ``picture``, smoothed by drawing it four times as large."""
    width, height = picture.size
    mask = Image.new("L", (4 * width, 4 * height), 0)
    box = (0, 0, 4 * width - 1, 4 * height - 1)
    ImageDraw.Draw(mask).rounded_rectangle(box, 4 * radius_px, fill=255)
    return mask.resize((width, height), Image.Resampling.LANCZOS)


def _placeholder(size_px: tuple[int, int], name: str, colour: str) -> Image.Image:
    rgb = colour_rgb(colour)
    tile = Image.new("RGB", size_px, rgb)
    draw = ImageDraw.Draw(tile)
    letters = font(max(9, size_px[0] // 11))
    ink = "#ffffff" if sum(rgb) < 3 * 140 else "#3a3733"
    lines = fit_lines(name, letters, size_px[0] - 20, 4)
    step = round(letters.size * 1.3)
    top = (size_px[1] - step * len(lines)) // 2
    for index, line in enumerate(lines):
        draw.text((size_px[0] / 2, top + index * step), line, font=letters, fill=ink, anchor="ma")
    return tile
