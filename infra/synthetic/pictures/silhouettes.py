"""Reads ``silhouettes.svg`` and ``cloths.svg``, whose first lines say how shapes are written there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

import numpy as np
from numpy.typing import NDArray

from infra.synthetic.pictures.cut import Cut

Points = NDArray[np.float64]  # [n, 2]; of garments, x from -500 to 500 and y downwards from 0 to 1250

_OPPOSITE: Final = ("sporty", "loose", "covered")  # going the other way changes a shape the opposite way
_ADDING: Final = ("romantic", "bold", "child", "man")  # going the other way changes nothing
_ENDS: Final = (*_OPPOSITE, *_ADDING)
_T: Final = np.arange(1, 8)[:, None] / 7
_BERNSTEIN: Final = np.hstack([(1 - _T) ** 3, 3 * _T * (1 - _T) ** 2, 3 * _T**2 * (1 - _T), _T**3])  # [7, 4]


@dataclass(frozen=True)
class Mark:
    """A filled piece, or a line if it has a width."""

    shapes: dict[str, Points]  # "d" and, by end of a style direction, what is added to it there
    paint: str
    width: float
    tone: float  # below 1 is darker, as what lies behind
    conditions: dict[str, float]  # by end, how far a cut must go to have it


@dataclass(frozen=True)
class Silhouette:
    """Marks in the order in which they are painted: a garment, a placement print, or one tile of a pattern."""

    marks: tuple[Mark, ...]
    print_at: tuple[float, ...]  # where a placement print goes, if anywhere
    tile: tuple[float, ...]  # width and height

    def shown(self, cut: Cut) -> list[tuple[Mark, Points]]:
        """The marks that a cut has, with outlines."""
        ends = cut.ends()
        shares = {"d": 1.0, **{end: ends[end] for end in _OPPOSITE}, **{end: max(ends[end], 0.0) for end in _ADDING}}
        return [
            (mark, np.sum([shares[end] * points for end, points in mark.shapes.items()], axis=0))
            for mark in self.marks
            if all(ends[end] > least for end, least in mark.conditions.items())
        ]


def _silhouettes(file: str) -> dict[str, Silhouette]:
    root = ElementTree.parse(Path(__file__).with_name(file)).getroot()
    return {
        group.attrib["id"]: Silhouette(
            tuple(_marks(group)),
            tuple(map(float, group.get("data-print", "").split())),
            tuple(float(group.attrib[side]) for side in ("width", "height") if side in group.attrib),
        )
        for group in root.findall("*[@id]")
    }


def _marks(group: ElementTree.Element) -> Iterator[Mark]:
    marks: list[Mark] = []
    for element in group:
        if "d" in element.attrib:
            marks = list(_path(element))
        else:  # <use>: the mirror image of the path before
            marks = [replace(mark, shapes={e: points * (-1, 1) for e, points in mark.shapes.items()}) for mark in marks]
        yield from marks


def _path(path: ElementTree.Element) -> Iterator[Mark]:
    """One mark for each M of a path."""
    drawn = {
        end: path.attrib[f"data-{end}"].split("M") for end in (*_OPPOSITE, *_ADDING) if f"data-{end}" in path.attrib
    }
    for i, d in enumerate(path.attrib["d"].split("M")[1:], 1):
        shape = _flattened(d)
        yield Mark(
            {"d": shape, **{end: _flattened(paths[i]) - shape for end, paths in drawn.items()}},
            path.attrib["class"].split()[0],
            float(path.get("stroke-width", 0)),
            float(path.get("data-tone", 1)),
            {end: float(least) for end, least in re.findall(r"(\w+) > ([-.\d]+)", path.get("data-if", ""))},
        )


def _flattened(d: str) -> Points:
    """A path, after its M, as a polyline."""
    line: list[Points] = []
    handle = np.zeros((1, 2))
    for command, numbers in re.findall(r"([MLCSZ])([^A-Z]*)", "M" + d):
        to = np.array(numbers.split(), dtype=float).reshape(-1, 2)
        if command == "Z":
            to = line[0]
        elif command in "CS":
            at = line[-1][-1:]
            control = np.vstack([at, *([2 * at - handle] if command == "S" else []), to])  # S goes on smoothly
            handle = to[-2:-1]
            to = _BERNSTEIN @ control
        line.append(to)
    return np.vstack(line)


SILHOUETTES: Final = _silhouettes("silhouettes.svg")
CLOTHS: Final = _silhouettes("cloths.svg")
