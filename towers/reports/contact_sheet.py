"""A contact sheet: what sample customers bought, and what the shop recommends to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

from infra.base.errors import UserError
from towers.reports.lettering import fit_lines, font, write_lines
from towers.reports.thumbnails import rounded, thumbnail

COLUMNS = 8  # tiles side by side
_PICTURE = (150, 225)  # 2:3, the shape of H&M's pictures
_GAP, _MARGIN, _LABEL_WIDTH = 16, 40, 134
_RADIUS = 8
_CAPTION_HEIGHT = 92
_STRIP_GAP, _PANEL_GAP = 14, 34
_HEADING_HEIGHT = 50
_WIDTH = 4 * _MARGIN + _LABEL_WIDTH + COLUMNS * (_PICTURE[0] + _GAP) - _GAP

_PAPER, _PANEL, _INK, _QUIET, _RULE = "#f4f1ec", "#fffdfa", "#23211f", "#7d766e", "#e4ded5"


@dataclass(frozen=True)
class Tile:
    """One article: its name and, below, why it is there (a day, a reason, a score).

    ``colour`` is the colour group's name, for the tile that stands in for a missing picture.
    """

    article_id: str
    name: str
    caption: str = ""
    colour: str = ""


@dataclass(frozen=True)
class SheetRow:
    """One customer: history newest first, its first ``COLUMNS`` articles are shown, each once; recommendations best
    first, wrapped after ``COLUMNS``."""

    title: str
    history: Sequence[Tile]
    recommendations: Sequence[Tile]


@dataclass(frozen=True)
class _Strip:
    """A labelled line of tiles, wrapped after ``COLUMNS``."""

    label: str
    tiles: Sequence[Tile]
    empty: str
    times: Mapping[str, int] = field(default_factory=dict)  # article id -> how often it was bought, where often
    emphasis: bool = False

    @property
    def height(self) -> int:
        if not self.tiles:
            return 40
        lines = -(-len(self.tiles) // COLUMNS)
        return lines * (_PICTURE[1] + _CAPTION_HEIGHT) + (lines - 1) * _STRIP_GAP


def contact_sheet(rows: Sequence[SheetRow], images_dir: Path, output: Path) -> Path:
    """Draw one panel a customer, one below the other, and write them as a picture.

    Args:
        images_dir: folder of ``010/0108775015.jpg`` and so on.
        output: ``.png`` or ``.jpg``; written atomically.

    Raises:
        UserError: there is no row to draw.
    """
    if not rows:
        raise UserError(f"{output} would be empty; give at least one customer")
    strips = [_strips(row) for row in rows]
    heights = [_panel_height(of_row) for of_row in strips]
    sheet = Image.new("RGB", (_WIDTH, 2 * _MARGIN + sum(heights) + _PANEL_GAP * (len(rows) - 1)), _PAPER)
    top = _MARGIN
    for row, of_row, height in zip(rows, strips, heights, strict=True):
        _draw_panel(sheet, row.title, of_row, images_dir, (_MARGIN, top, _WIDTH - _MARGIN, top + height))
        top += height + _PANEL_GAP
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_suffix(f".partial{output.suffix}")
    sheet.save(partial, quality=90, optimize=True)
    partial.replace(output)
    return output


def _strips(row: SheetRow) -> list[_Strip]:
    times = Counter(tile.article_id for tile in row.history)
    first = {tile.article_id: tile for tile in reversed(row.history)}
    history = [first[article_id] for article_id in times]
    often = {article_id: count for article_id, count in times.items() if count > 1}
    return [
        _Strip("Bought before", history[:COLUMNS], "nothing yet: a new customer", often),
        _Strip("Recommended", row.recommendations, "no recommendations", emphasis=True),
    ]


def _panel_height(strips: Sequence[_Strip]) -> int:
    heights = sum(strip.height for strip in strips) + 2 * _STRIP_GAP * (len(strips) - 1)
    return _MARGIN + _HEADING_HEIGHT + heights + _MARGIN // 2


def _draw_panel(
    sheet: Image.Image, title: str, strips: Sequence[_Strip], images_dir: Path, box: tuple[int, int, int, int]
) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle(box, 14, fill=_PANEL, outline=_RULE)
    left, top, right, _ = box
    x, y = left + _MARGIN, top + _MARGIN - 10
    draw.text((x, y), title, font=font(22, bold=True), fill=_INK)
    y += _HEADING_HEIGHT + 10
    for index, strip in enumerate(strips):
        if index:
            draw.line((x, y - _STRIP_GAP, right - _MARGIN, y - _STRIP_GAP), fill=_RULE)
        _draw_label(draw, strip, (x, y))
        _draw_tiles(sheet, strip, images_dir, (x + _LABEL_WIDTH, y))
        y += strip.height + 2 * _STRIP_GAP


def _draw_label(draw: ImageDraw.ImageDraw, strip: _Strip, xy: tuple[int, int]) -> None:
    letters = font(14, bold=strip.emphasis)
    lines = fit_lines(strip.label, letters, _LABEL_WIDTH - 16, 2)
    write_lines(draw, xy, lines, letters, _INK if strip.emphasis else _QUIET)
    if not strip.tiles:
        draw.text((xy[0] + _LABEL_WIDTH, xy[1]), strip.empty, font=font(14), fill=_QUIET)


def _draw_tiles(sheet: Image.Image, strip: _Strip, images_dir: Path, origin: tuple[int, int]) -> None:
    for index, tile in enumerate(strip.tiles):
        line, column = divmod(index, COLUMNS)
        x = origin[0] + column * (_PICTURE[0] + _GAP)
        y = origin[1] + line * (_PICTURE[1] + _CAPTION_HEIGHT + _STRIP_GAP)
        times = strip.times.get(tile.article_id)
        _draw_tile(sheet, tile, images_dir, (x, y), f"× {times}" if times else "")


def _draw_tile(sheet: Image.Image, tile: Tile, images_dir: Path, xy: tuple[int, int], tag: str) -> None:
    draw = ImageDraw.Draw(sheet)
    picture = thumbnail(images_dir, tile.article_id, _PICTURE, tile.name, tile.colour)
    sheet.paste(picture, xy, rounded(picture, _RADIUS))
    x, y = xy
    draw.rounded_rectangle((x, y, x + _PICTURE[0] - 1, y + _PICTURE[1] - 1), _RADIUS, outline=_RULE)
    if tag:
        _draw_tag(draw, tag, (x + 8, y + 8))
    y += _PICTURE[1] + 8
    bold = font(13, bold=True)
    y = write_lines(draw, (x, y), fit_lines(tile.name, bold, _PICTURE[0], 2), bold, _INK)
    write_lines(draw, (x, y + 2), fit_lines(tile.caption, font(12), _PICTURE[0], 3), font(12), _QUIET)


def _draw_tag(draw: ImageDraw.ImageDraw, text: str, xy: tuple[int, int]) -> None:
    letters = font(12, bold=True)
    width = round(letters.getlength(text)) + 14
    draw.rounded_rectangle((xy[0], xy[1], xy[0] + width, xy[1] + 22), 11, fill=_QUIET)
    draw.text((xy[0] + 7, xy[1] + 4), text, font=letters, fill="#ffffff")
