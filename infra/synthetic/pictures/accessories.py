"""Silhouettes of shoes, bags, hats, scarves, belts, glasses and jewellery."""

from __future__ import annotations

import numpy as np

from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.drawing import Drawing, ellipse, mirrored, smooth


def sneakers(cut: Cut) -> Drawing:
    return _pair(_sneaker(cut))


def boots(cut: Cut) -> Drawing:
    drawing = Drawing()
    shaft = cut.between(0.48, 0.1, cut.covered)
    wide = 0.1 + 0.02 * cut.loose
    heel = cut.between(0.03, 0.12, -cut.sporty)
    toe = -0.33 if cut.dressy else -0.3
    drawing.piece(
        smooth([(wide, shaft), (wide, shaft), (wide - 0.01, 0.75), (wide + 0.02, 0.9), (wide + 0.01, 1.0),
                (wide + 0.01, 1.0),
                (-0.1, 1.0), (toe, 1.0), (toe - 0.02, 0.95), (-0.2, 0.86), (-wide, 0.78), (-wide - 0.005, 0.6),
                (-wide, shaft),
                (-wide, shaft)])
    )  # fmt: skip
    drawing.piece(np.array([(toe, 0.99), (wide + 0.01, 0.99), (wide + 0.01, 1.02 + heel), (wide - 0.07, 1.02 + heel),
                            (wide - 0.09, 1.02), (toe, 1.02)]), "sole")  # fmt: skip
    if cut.bold > 0.1:
        drawing.stroke([(-wide, 0.78), (wide, 0.76)], 0.02, "seam")
        drawing.dot(0, 0.77, 0.02, "metal")
    elif cut.sporty > 0.1:
        for i in range(4):
            drawing.stroke([(-wide + 0.005, 0.58 + 0.06 * i), (-wide + 0.07, 0.56 + 0.06 * i)], 0.01, "accent")
    if cut.frilled:
        drawing.stroke([(-wide, shaft + 0.01), (wide, shaft + 0.01)], 0.035, "accent")
    return _pair(drawing)


def sandals(cut: Cut) -> Drawing:
    drawing = Drawing()
    heel = cut.between(0.0, 0.14, -cut.sporty)
    drawing.piece(
        smooth([(0.2, 0.88 - heel), (0.2, 0.88 - heel), (0.05, 0.93 - heel * 0.4), (-0.3, 0.97), (-0.34, 0.99),
                (-0.34, 1.02),
                (-0.3, 1.03), (0.05, 0.99 - heel * 0.3), (0.2, 0.94 - heel), (0.2, 0.94 - heel)]), "sole",
    )  # fmt: skip
    if heel > 0.04:
        drawing.piece(np.array([(0.2, 0.9 - heel), (0.14, 0.94 - heel), (0.16, 1.03), (0.2, 1.03)]), "sole")
    else:
        drawing.piece(np.array([(0.2, 0.93), (-0.33, 1.0), (-0.33, 1.05), (0.2, 1.05)]), "sole")
    straps = 1 + round(cut.between(0, 3, cut.covered))
    for i in range(straps):
        x = -0.22 + 0.1 * i
        drawing.stroke(smooth([(x - 0.05, 0.98), (x, 0.86 - 0.03 * i),
                               (x + 0.06, 0.965 - heel * 0.15 * i)], closed=False),
                       0.03 + 0.015 * cut.loose, "cloth")  # fmt: skip
    drawing.stroke(smooth([(0.19, 0.9 - heel), (0.17, 0.74 - heel), (0.06, 0.74 - heel),
                           (0.02, 0.93 - heel * 0.5)], closed=False),
                   0.022, "cloth")  # fmt: skip
    if cut.bold > 0:
        drawing.dot(0.06, 0.745 - heel, 0.018, "metal")
    if cut.romantic > 0.2:
        drawing.dot(-0.22, 0.86, 0.035, "accent")
    return _pair(drawing, lift=-0.04)


def bag(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0, 0.8))
    wide = 0.27 + 0.06 * cut.loose
    top = 0.58 - 0.1 * cut.loose
    deep = 1.04
    strap = cut.between(0.36, 0.06, cut.covered)
    drawing.stroke(smooth([(-wide * 0.7, top + 0.03), (-wide * 0.55, strap + 0.1), (0, strap),
                           (wide * 0.55, strap + 0.1),
                           (wide * 0.7, top + 0.03)],
                           closed=False), 0.026, "metal" if cut.glossy > 0.45 else "cloth")  # fmt: skip
    spread = 0.05 * cut.romantic
    drawing.piece(mirrored([(0, top), (wide - spread, top), (wide - spread, top), (wide + 0.02 + spread, deep - 0.08),
                            (wide - 0.02, deep), (0, deep + 0.01)]))  # fmt: skip
    if cut.sporty < 0.1:
        flap = top + 0.2 if cut.bold < 0 else top + 0.13
        point = 0.08 if cut.bold > 0 else 0.0
        drawing.piece(mirrored([(0, top - 0.01), (wide - spread + 0.004, top - 0.01),
                                (wide - spread + 0.004, top - 0.01),
                                (wide - spread, flap), (0, flap + 0.02 + point),
                                (0, flap + 0.02 + point)]), tone=0.9)  # fmt: skip
        drawing.dot(0, flap + point, 0.024, "metal")
    else:
        drawing.stroke([(-wide + 0.04, top + 0.05), (wide - 0.04, top + 0.05)], 0.014, "metal")
        drawing.stroke(
            [(-0.15, top + 0.28), (0.15, top + 0.28), (0.15, deep - 0.07), (-0.15, deep - 0.07), (-0.15, top + 0.28)]
        )
    return drawing


def beanie(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0, 0.5))
    tall = cut.between(0.34, 0.2, cut.loose)
    if cut.romantic > 0 or cut.child:
        drawing.piece(ellipse(0, tall - 0.02, 0.09, 0.085), "trim")
    drawing.piece(
        mirrored([(0, tall), (0.14, tall + 0.04), (0.25, tall + 0.24), (0.26, 0.82), (0.26, 0.82), (0, 0.85)])
    )
    for x in (-0.16, -0.08, 0.0, 0.08, 0.16):
        drawing.stroke(smooth([(x * 0.6, tall + 0.04), (x, 0.55), (x * 1.1, 0.78)], closed=False), 0.005)
    fold = cut.between(0.72, 0.62, cut.covered)
    drawing.piece(mirrored([(0, fold), (0.27, fold - 0.01), (0.27, fold - 0.01), (0.275, 0.86), (0.275, 0.86),
                            (0, 0.89)]),
                  "trim" if cut.striped_sides else "cloth", 0.88)  # fmt: skip
    return drawing


def cap(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0.05, 0.55))
    crown = cut.between(0.34, 0.26, cut.loose)
    drawing.piece(
        smooth([(-0.2, 0.76), (-0.2, 0.76), (-0.19, 0.5), (-0.04, crown), (0.16, crown + 0.06), (0.27, 0.55),
                (0.28, 0.76),
                (0.28, 0.76), (0.05, 0.79)])
    )  # fmt: skip
    reach = cut.between(-0.36, -0.44, cut.bold)
    brim = smooth(
        [(-0.2, 0.72), (-0.2, 0.72), (0.02, 0.76), (0.04, 0.79), (-0.16, 0.82), (reach, 0.87), (reach - 0.01, 0.84)]
    )
    drawing.piece(brim, "trim" if cut.striped_sides else "cloth", 0.85)
    drawing.stroke(smooth([(0.05, crown), (0.1, 0.52), (0.06, 0.77)], closed=False), 0.005)
    drawing.dot(0.05, crown, 0.017, "accent")
    return drawing


def scarf(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0.1, 0.8))
    half = 0.075 + 0.025 * cut.loose
    end = cut.between(0.92, 1.14, cut.covered)
    for x, tone, stop in ((0.11, 0.88, end), (-0.07, 1.0, end - 0.1)):
        if cut.sporty < 0.3:
            for i in range(7):
                at = x - half + 2 * half * (i + 0.5) / 7
                drawing.stroke([(at, stop - 0.02), (at, stop + 0.06 + 0.03 * cut.romantic)], 0.011, "cloth")
        drawing.piece(smooth([(x - half + 0.02, 0.3), (x - half + 0.02, 0.3), (x + half - 0.02, 0.3),
                              (x + half - 0.02, 0.3),
                              (x + half, stop), (x + half, stop), (x - half, stop),
                              (x - half, stop)]), tone=tone)  # fmt: skip
        if cut.striped_sides:
            drawing.stroke([(x - half, stop - 0.08), (x + half, stop - 0.08)], 0.04, "accent")
    drawing.piece(
        smooth([(-0.2, 0.2), (0, 0.13), (0.2, 0.2), (0.22, 0.32), (0.1, 0.42), (-0.1, 0.42), (-0.22, 0.32)]), tone=0.95
    )
    drawing.piece(ellipse(0, 0.215, 0.13, 0.055), tone=0.6)
    return drawing


def belt(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(9, 9))
    thick = 0.05 + 0.02 * cut.loose
    ring = ellipse(0, 0.62, 0.33, 0.22)
    drawing.stroke(np.vstack([ring, ring[:1]]), thick * 1.25, "cloth")
    inner = ellipse(0, 0.62 - thick * 0.12, 0.33, 0.22)
    drawing.stroke(np.vstack([inner, inner[:1]]), 0.005)
    size = thick * (0.75 + 0.3 * cut.glossy)
    square = cut.bold > 0
    x, y = 0.02, 0.84
    frame = (
        [(x - size, y - size), (x + size, y - size), (x + size, y + size), (x - size, y + size), (x - size, y - size)]
        if square
        else ellipse(x, y, size * 1.1, size)
    )
    drawing.stroke(np.vstack([frame, frame[:1]]) if not square else frame, 0.018, "metal")
    for i in range(3):
        drawing.dot(0.1 + 0.05 * i, 0.835 - 0.012 * i, 0.007, "metal" if cut.bold > 0.3 else "seam")
    if cut.romantic > 0.2:
        drawing.stroke(smooth([(0.02, 0.88), (0.06, 0.98), (0.03, 1.08)], closed=False), thick * 0.7, "cloth")
    return drawing


def sunglasses(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(9, 9))
    rx = 0.135 + 0.025 * cut.loose
    ry = 0.115 + 0.03 * cut.loose
    lift = 0.05 * cut.bold + 0.03 * max(cut.romantic, 0)  # cat eye
    square = 2 if cut.sporty < 0 else 3.4
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    x = np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** (2 / square) * rx
    y = np.sign(np.sin(angle)) * np.abs(np.sin(angle)) ** (2 / square) * ry
    y = y - lift * np.clip(x / rx, 0, 1) * (y < 0)
    lens = np.stack([x + 0.19, y + 0.62], axis=1)
    drawing.both_strokes([(0.32, 0.57 - lift), (0.43, 0.5)], 0.022, "cloth")
    drawing.both(lens * (1, 1), "cloth")
    drawing.both((lens - (0.19, 0.62)) * 0.8 + (0.19, 0.62), "glass")
    drawing.stroke(smooth([(-0.06, 0.6), (0, 0.56), (0.06, 0.6)], closed=False), 0.02, "cloth")
    return drawing


def earring(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(9, 9))
    for x in (-0.17, 0.17):
        drawing.dot(x, 0.3, 0.028, "metal")
        long = cut.between(0.06, 0.3, cut.covered)
        if cut.romantic > 0:
            drawing.stroke([(x, 0.32), (x, 0.4 + long)], 0.01, "metal")
            size = 0.06 + 0.03 * cut.loose
            drawing.piece(
                smooth(
                    [
                        (x, 0.38 + long),
                        (x, 0.38 + long),
                        (x + size, 0.5 + long),
                        (x, 0.58 + long),
                        (x - size, 0.5 + long),
                    ]
                )
            )
            drawing.dot(x, 0.49 + long, 0.018, "accent")
        else:
            radius = 0.09 + 0.04 * cut.loose
            hoop = ellipse(x, 0.34 + radius * 1.4, radius, radius * (1.0 + long))
            drawing.stroke(np.vstack([hoop, hoop[:1]]), 0.03 + 0.012 * cut.bold, "cloth")
    return drawing


def _sneaker(cut: Cut) -> Drawing:
    drawing = Drawing()
    high = cut.between(0.72, 0.5, cut.covered)
    sole = 0.06 + 0.025 * cut.loose
    drawing.piece(
        smooth([(0.2, high), (0.2, high), (0.21, 0.86), (0.22, 1.0), (0.22, 1.0), (-0.33, 1.0), (-0.33, 1.0),
                (-0.35, 0.92),
                (-0.24, 0.86), (-0.08, high + 0.04), (-0.04, high), (-0.04, high), (0.08, high + 0.03)])
    )  # fmt: skip
    drawing.piece(smooth([(0.23, 0.97), (0.23, 0.97), (0.24, 1.0 + sole), (0.2, 1.01 + sole), (-0.3, 1.01 + sole),
                          (-0.37, 0.99),
                          (-0.35, 0.95), (-0.35, 0.95)]), "sole")  # fmt: skip
    for i in range(4):
        x, y = -0.06 - 0.045 * i, high + 0.08 + (0.86 - high - 0.04) * i / 4
        drawing.stroke([(x, y), (x + 0.09, y - 0.005)], 0.014, "accent")
    if cut.sporty > 0:
        drawing.stroke(
            smooth([(0.02, 0.95), (0.12, 0.88), (0.18, 0.76)], closed=False), 0.03 * cut.sporty + 0.008, "accent"
        )
    drawing.piece(smooth([(0.14, 0.84), (0.14, 0.84), (0.212, 0.82), (0.22, 0.97), (0.12, 0.97)]), "trim", 0.95)
    if cut.bold > 0.3:
        drawing.dot(0.08, 0.9, 0.02, "metal")
    return drawing


def _pair(shoe: Drawing, lift: float = 0.0) -> Drawing:
    """The shoe twice, one behind."""
    behind = shoe.moved(0.82, 0.82, dx=0.13, dy=-0.16 + lift)
    front = shoe.moved(0.95, 0.95, dx=0.0, dy=0.04 + lift)
    return Drawing([*behind.marks, *front.marks], (9.0, 9.0))
