"""Text in pictures: DejaVu Sans as it comes with matplotlib, broken into lines that fit."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from PIL import ImageDraw
from PIL.ImageFont import FreeTypeFont, truetype

ELLIPSIS = "…"
_LEADING = 1.28


@lru_cache(maxsize=32)
def font(size_px: int, bold: bool = False) -> FreeTypeFont:
    """DejaVu Sans, which has every letter of the shop's languages and is there wherever matplotlib is."""
    import matplotlib

    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size_px)


def fit_lines(text: str, letters: FreeTypeFont, width_px: int, lines: int) -> list[str]:
    """At most ``lines`` lines of at most ``width_px``; what does not fit ends in an ellipsis.

    Breaks between words; a word too long for a line is cut.
    """
    words = text.split()
    fitted: list[str] = []
    while words and len(fitted) < lines:
        taken = 1
        while taken < len(words) and letters.getlength(" ".join(words[: taken + 1])) <= width_px:
            taken += 1
        fitted.append(_cut(" ".join(words[:taken]), letters, width_px))
        words = words[taken:]
    if words:
        fitted[-1] = _cut(f"{fitted[-1].rstrip(ELLIPSIS)} {words[0]}", letters, width_px, always=True)
    return fitted


def write_lines(
    draw: ImageDraw.ImageDraw, xy: tuple[int, int], lines: list[str], letters: FreeTypeFont, fill: str
) -> int:
    """Write lines downwards from ``xy`` and return the y below them."""
    x, y = xy
    for line in lines:
        draw.text((x, y), line, font=letters, fill=fill)
        y += round(letters.size * _LEADING)
    return y


def _cut(text: str, letters: FreeTypeFont, width_px: int, always: bool = False) -> str:
    if not always and letters.getlength(text) <= width_px:
        return text
    while text and letters.getlength(text.rstrip() + ELLIPSIS) > width_px:
        text = text[:-1]
    return text.rstrip(" ,;:") + ELLIPSIS
