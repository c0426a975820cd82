"""A contact sheet: what sample customers bought, what the shop recommends to them, what they then bought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image, ImageDraw

from infra.base.errors import UserError
from towers.reports.lettering import fit_lines, font, write_lines
from towers.reports.thumbnails import rounded, thumbnail

COLUMNS = 8
_PICTURE = (150, 225)  # 2:3, the shape of H&M's pictures
_GAP, _MARGIN, _LABEL_WIDTH = 16, 40, 134
_RADIUS, _FRAME = 8, 4
_CAPTION_HEIGHT = 92
_STRIP_GAP, _PANEL_GAP = 14, 34
_HEADING_HEIGHT = 50

_PAPER, _PANEL, _INK, _QUIET, _RULE, _HIT = "#f4f1ec", "#fffdfa", "#23211f", "#7d766e", "#e4ded5", "#1f8a5b"


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
    """One customer. Recommendations that are also in ``then_bought`` are framed as hits."""

    title: str
    history: Sequence[Tile]
    recommendations: Sequence[Tile]
    then_bought: Sequence[Tile] = ()
    subtitle: str = ""


@dataclass(frozen=True)
class _Strip:
    """A labelled line of tiles, wrapped after ``columns``."""

    label: str
    tiles: Sequence[Tile]
    empty: str
    times: Mapping[str, int] = field(default_factory=dict)  # article id -> how often it was bought, where often
    emphasis: bool = False


def contact_sheet(rows: Sequence[SheetRow], images_dir: Path, output: Path, columns: int = COLUMNS) -> Path:
    """Draw one panel a customer, one below the other, and write them as a picture.

    Args:
        rows: the customers; recommendations best first, history newest first: its first ``columns`` articles are
            shown, each once.
        images_dir: folder of ``010/0108775015.jpg`` and so on.
        output: ``.png`` or ``.jpg``; written atomically.
        columns: tiles side by side.

    Raises:
        UserError: there is no row to draw.
    """
    if not rows:
        raise UserError(f"{output} would be empty; give at least one customer")
    width = 2 * _MARGIN + _LABEL_WIDTH + columns * (_PICTURE[0] + _GAP) - _GAP + 2 * _MARGIN
    heights = [_panel_height(row, columns) for row in rows]
    sheet = Image.new("RGB", (width, 2 * _MARGIN + sum(heights) + _PANEL_GAP * (len(rows) - 1)), _PAPER)
    top = _MARGIN
    for row, height in zip(rows, heights, strict=True):
        _draw_panel(sheet, row, images_dir, (_MARGIN, top, width - _MARGIN, top + height), columns)
        top += height + _PANEL_GAP
    output.parent.mkdir(parents=True, exist_ok=True)
    partial = output.with_suffix(f".partial{output.suffix}")
    sheet.save(partial, quality=90, optimize=True)
    partial.replace(output)
    return output


def _strips(row: SheetRow, columns: int) -> list[_Strip]:
    history, times = _once(row.history)
    then_bought, times_then = _once(row.then_bought)
    strips = [
        _Strip("Bought before", history[:columns], "nothing yet: a new customer", times),
        _Strip("Recommended", row.recommendations, "no recommendations", emphasis=True),
    ]
    if row.then_bought:
        strips.append(_Strip("Then bought", then_bought[:columns], "", times_then))
    return strips


def _once(tiles: Sequence[Tile]) -> tuple[list[Tile], dict[str, int]]:
    """Each article once, where it stood first, and how often those came that came again."""
    times = Counter(tile.article_id for tile in tiles)
    first = {tile.article_id: tile for tile in reversed(tiles)}
    return [first[article_id] for article_id in times], {a: count for a, count in times.items() if count > 1}


def _strip_height(strip: _Strip, columns: int) -> int:
    if not strip.tiles:
        return 40
    lines = -(-len(strip.tiles) // columns)
    return lines * (_PICTURE[1] + _CAPTION_HEIGHT) + (lines - 1) * _STRIP_GAP


def _panel_height(row: SheetRow, columns: int) -> int:
    strips = [_strip_height(strip, columns) for strip in _strips(row, columns)]
    return _MARGIN + _HEADING_HEIGHT + sum(strips) + 2 * _STRIP_GAP * (len(strips) - 1) + _MARGIN // 2


def _draw_panel(
    sheet: Image.Image, row: SheetRow, images_dir: Path, box: tuple[int, int, int, int], columns: int
) -> None:
    draw = ImageDraw.Draw(sheet)
    draw.rounded_rectangle(box, 14, fill=_PANEL, outline=_RULE)
    left, top, right, _ = box
    x, y = left + _MARGIN, top + _MARGIN - 10
    title = font(22, bold=True)
    draw.text((x, y), row.title, font=title, fill=_INK)
    _draw_subtitle(draw, row, (x + round(title.getlength(row.title)) + 18, y), right - _MARGIN)
    y += _HEADING_HEIGHT + 10
    bought = {tile.article_id for tile in row.then_bought}
    for index, strip in enumerate(_strips(row, columns)):
        if index:
            draw.line((x, y - _STRIP_GAP, right - _MARGIN, y - _STRIP_GAP), fill=_RULE)
        _draw_label(draw, strip, (x, y))
        hits = bought if strip.emphasis else set()
        _draw_tiles(sheet, strip, hits, images_dir, (x + _LABEL_WIDTH, y), columns)
        y += _strip_height(strip, columns) + 2 * _STRIP_GAP


def _draw_subtitle(draw: ImageDraw.ImageDraw, row: SheetRow, xy: tuple[int, int], right: int) -> None:
    letters = font(15)
    for line in fit_lines(row.subtitle, letters, right - xy[0], 1):
        draw.text((xy[0], xy[1] + 7), line, font=letters, fill=_QUIET)


def _draw_label(draw: ImageDraw.ImageDraw, strip: _Strip, xy: tuple[int, int]) -> None:
    letters = font(14, bold=strip.emphasis)
    lines = fit_lines(strip.label, letters, _LABEL_WIDTH - 16, 2)
    write_lines(draw, xy, lines, letters, _INK if strip.emphasis else _QUIET)
    if not strip.tiles:
        draw.text((xy[0] + _LABEL_WIDTH, xy[1]), strip.empty, font=font(14), fill=_QUIET)


def _draw_tiles(
    sheet: Image.Image, strip: _Strip, hits: set[str], images_dir: Path, origin: tuple[int, int], columns: int
) -> None:
    for index, tile in enumerate(strip.tiles):
        line, column = divmod(index, columns)
        x = origin[0] + column * (_PICTURE[0] + _GAP)
        y = origin[1] + line * (_PICTURE[1] + _CAPTION_HEIGHT + _STRIP_GAP)
        hit = tile.article_id in hits
        times = strip.times.get(tile.article_id)
        _draw_tile(sheet, tile, images_dir, (x, y), hit, "bought" if hit else f"× {times}" if times else "")


def _draw_tile(sheet: Image.Image, tile: Tile, images_dir: Path, xy: tuple[int, int], hit: bool, tag: str) -> None:
    draw = ImageDraw.Draw(sheet)
    picture = thumbnail(images_dir, tile.article_id, _PICTURE, tile.name, tile.colour)
    sheet.paste(picture, xy, rounded(picture, _RADIUS))
    x, y = xy
    edge = (x, y, x + _PICTURE[0] - 1, y + _PICTURE[1] - 1)
    draw.rounded_rectangle(edge, _RADIUS, outline=_RULE)
    if hit:
        grown = (edge[0] - _FRAME, edge[1] - _FRAME, edge[2] + _FRAME, edge[3] + _FRAME)
        draw.rounded_rectangle(grown, _RADIUS + _FRAME, outline=_HIT, width=_FRAME)
    if tag:
        _draw_tag(draw, tag, (x + 8, y + 8), _HIT if hit else _QUIET)
    y = write_lines(
        draw, (x, y + _PICTURE[1] + 8), fit_lines(tile.name, font(13, bold=True), _PICTURE[0], 2), font(13, True), _INK
    )
    write_lines(draw, (x, y + 2), fit_lines(tile.caption, font(12), _PICTURE[0], 3), font(12), _QUIET)


def _draw_tag(draw: ImageDraw.ImageDraw, text: str, xy: tuple[int, int], colour: str) -> None:
    letters = font(12, bold=True)
    width = round(letters.getlength(text)) + 14
    draw.rounded_rectangle((xy[0], xy[1], xy[0] + width, xy[1] + 22), 11, fill=colour)
    draw.text((xy[0] + 7, xy[1] + 4), text, font=letters, fill="#ffffff")
