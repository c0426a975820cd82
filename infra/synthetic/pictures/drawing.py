"""What a silhouette is made of: pieces of cloth, strokes and dots, in a plane of their own.

Coordinates: x from -0.5 (left) to 0.5, y from 0 (top) to 1.25. Outlines are [n, 2] arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Paint = Literal["cloth", "trim", "sole", "metal", "glass"]
Ink = Literal["seam", "accent", "metal", "cloth"]


@dataclass(frozen=True)
class Piece:
    """A filled outline; ``tone`` below 1 darkens it, as for what lies behind."""

    outline: Points
    paint: Paint = "cloth"
    tone: float = 1.0


@dataclass(frozen=True)
class Stroke:
    """A line of a width in plane units."""

    line: Points
    width: float = 0.006
    ink: Ink = "seam"


@dataclass
class Drawing:
    """Pieces and strokes in the order in which they are painted."""

    marks: list[Piece | Stroke] = field(default_factory=list)
    print_at: tuple[float, float] = (0.0, 0.45)  # where a placement print goes

    def piece(self, outline: Points, paint: Paint = "cloth", tone: float = 1.0) -> None:
        self.marks.append(Piece(outline, paint, tone))

    def both(self, outline: Points, paint: Paint = "cloth", tone: float = 1.0) -> None:
        """A piece and its mirror image."""
        self.piece(outline, paint, tone)
        self.piece(outline * (-1, 1), paint, tone)

    def stroke(self, line: Sequence[tuple[float, float]] | Points, width: float = 0.006, ink: Ink = "seam") -> None:
        self.marks.append(Stroke(np.asarray(line, dtype=float), width, ink))

    def both_strokes(
        self, line: Sequence[tuple[float, float]] | Points, width: float = 0.006, ink: Ink = "seam"
    ) -> None:
        self.stroke(line, width, ink)
        self.stroke(np.asarray(line, dtype=float) * (-1, 1), width, ink)

    def dot(self, x: float, y: float, radius: float, ink: Ink = "seam") -> None:
        self.stroke([(x, y), (x, y)], 2 * radius, ink)

    def moved(self, scale_x: float, scale_y: float, dx: float = 0.0, dy: float = 0.0) -> Drawing:
        """The same drawing, scaled about (0, 0.625) and moved."""

        def place(points: Points) -> Points:
            return (points - (0, 0.625)) * (scale_x, scale_y) + (dx, 0.625 + dy)

        marks: list[Piece | Stroke] = [
            Piece(place(mark.outline), mark.paint, mark.tone)
            if isinstance(mark, Piece)
            else Stroke(place(mark.line), mark.width * scale_x, mark.ink)
            for mark in self.marks
        ]
        at = place(np.array(self.print_at, dtype=float))
        return Drawing(marks, (float(at[0]), float(at[1])))

    def fitted(self, scale: float = 1.0) -> Drawing:
        """The same drawing in the middle of the picture, ``scale`` times as large if that fits."""
        points = np.vstack([mark.outline if isinstance(mark, Piece) else mark.line for mark in self.marks])
        low, high = points.min(axis=0), points.max(axis=0)
        scale = min(scale, 0.92 / (high[0] - low[0]), 1.17 / (high[1] - low[1]))
        middle = (low + high) / 2
        return self.moved(scale, scale, dx=-scale * float(middle[0]), dy=-scale * float(middle[1] - 0.625))


def smooth(points: Sequence[tuple[float, float]] | Points, closed: bool = True, steps: int = 7) -> Points:
    """A Catmull-Rom curve through the points; a point given twice is a sharp corner."""
    anchor = np.asarray(points, dtype=float)
    if closed:
        before, start, end, after = (np.roll(anchor, shift, axis=0) for shift in (1, 0, -1, -2))
    else:
        padded = np.vstack([anchor[:1], anchor, anchor[-1:]])
        before, start, end, after = padded[:-3], padded[1:-2], padded[2:-1], padded[3:]
    t = np.linspace(0, 1, steps, endpoint=False)[None, :, None]
    before, start, end, after = (each[:, None, :] for each in (before, start, end, after))
    curve = 0.5 * (
        2 * start
        + (end - before) * t
        + (2 * before - 5 * start + 4 * end - after) * t**2
        + (3 * start - before - 3 * end + after) * t**3
    )
    corner = (start == end).all(axis=(1, 2))  # between the two of a double point the spline would make a loop
    keep = np.ones(curve.shape[:2], dtype=bool)
    keep[corner, 1:] = False
    flat = curve[keep]
    return flat if closed else np.vstack([flat, anchor[-1:]])


def mirrored(right: Sequence[tuple[float, float]]) -> Points:
    """A closed smooth outline from its right half, given from the top centre to the bottom centre."""
    half = np.asarray(right, dtype=float)
    return smooth(np.vstack([half, half[::-1] * (-1, 1)]))


def ellipse(x: float, y: float, rx: float, ry: float) -> Points:
    """An ellipse about (x, y)."""
    angle = np.linspace(0, 2 * np.pi, 40, endpoint=False)
    return np.stack([x + rx * np.cos(angle), y + ry * np.sin(angle)], axis=1)


def frill(half_width: float, y: float, depth: float, waves: int) -> Points:
    """A gathered band hanging from y, its lower edge in waves."""
    x = np.linspace(-half_width, half_width, waves * 8 + 1)
    flare = 1 + 0.1 * depth / 0.06
    lower = y + depth * (0.75 + 0.25 * np.abs(np.sin(np.linspace(0, waves * np.pi, len(x)))))
    top = np.array([(half_width, y), (-half_width, y)])
    return np.vstack([np.stack([x * flare, lower], axis=1), top])


def slanted(outline: Points, slope: float, from_y: float) -> Points:
    """The outline with everything below ``from_y`` tilted, for asymmetric hems."""
    weight = np.clip((outline[:, 1] - from_y) / 0.4, 0, 1)
    return np.stack([outline[:, 0], outline[:, 1] + slope * outline[:, 0] * weight], axis=1)


def shifted(outline: Points, dx: float, dy: float) -> Points:
    """The outline, moved."""
    return outline + np.array([dx, dy])
