"""Silhouettes worn on the upper body, from vest to coat: one torso, sleeves, a neckline and a front."""

from __future__ import annotations

from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.drawing import Drawing, Points, ellipse, frill, mirrored, slanted, smooth

SHOULDER_Y, ARMPIT_Y = 0.17, 0.43


def vest(cut: Cut) -> Drawing:
    drawing = Drawing()
    strap = cut.between(0.02, 0.05, cut.covered)
    neck = cut.between(0.34, 0.24, cut.covered)
    body = _torso(cut, neck_half=0.105, neck_y=neck, shoulder=0.105 + strap, hem_y=cut.between(0.82, 1.05, cut.covered),
                  armhole=0.12)  # fmt: skip
    return _finish(cut, drawing, body, neck, hem_frill=True)


def tshirt(cut: Cut) -> Drawing:
    return _top(cut, sleeve=cut.between(0.2, 0.42, cut.covered), neck_y=cut.between(0.25, 0.17, cut.covered))


def top(cut: Cut) -> Drawing:
    return _top(cut, sleeve=cut.between(0.1, 1.0, cut.covered), neck_y=cut.between(0.33, 0.15, cut.covered), flare=0.02)


def blouse(cut: Cut) -> Drawing:
    drawing = _top(
        cut, sleeve=cut.between(0.35, 1.0, cut.covered), neck_y=cut.between(0.3, 0.2, cut.covered), flare=0.035,
        sleeve_width=0.03,
    )  # fmt: skip
    if cut.romantic > 0.1:
        bow(drawing, 0.0, 0.2 + 0.05 * (1 - cut.covered), 0.05 + 0.05 * cut.romantic)
    drawing.stroke([(0, 0.3), (0, _hem(cut))], 0.005)
    return drawing


def shirt(cut: Cut) -> Drawing:
    drawing = _top(cut, sleeve=cut.between(0.3, 1.0, cut.covered), neck_y=0.2, curved_hem=0.05)
    _placket(drawing, 0.22, _hem(cut))
    _collar(drawing, cut.between(0.075, 0.11, -cut.sporty))
    _pocket(drawing, 0.1, 0.42, 0.065)
    return drawing


def sweater(cut: Cut) -> Drawing:
    drawing = _top(cut, sleeve=cut.between(0.75, 1.0, cut.covered), neck_y=cut.between(0.24, 0.14, cut.covered),
                   sleeve_width=0.02, ribs=True)  # fmt: skip
    if cut.covered > 0.45:  # roll neck
        drawing.piece(mirrored([(0, 0.055), (0.085, 0.06), (0.085, 0.06), (0.095, 0.15), (0.095, 0.15), (0, 0.18)]))
        for x in (-0.05, 0.0, 0.05):
            drawing.stroke([(x, 0.075), (x, 0.165)], 0.004)
    return drawing


def cardigan(cut: Cut) -> Drawing:
    drawing = _top(cut, sleeve=cut.between(0.75, 1.0, cut.covered), neck_y=cut.between(0.5, 0.3, cut.covered),
                   sleeve_width=0.015, ribs=True, pointed_neck=True)  # fmt: skip
    _placket(drawing, cut.between(0.52, 0.32, cut.covered), _hem(cut))
    return drawing


def hoodie(cut: Cut) -> Drawing:
    drawing = Drawing()
    drawing.piece(mirrored([(0, 0.02), (0.13, 0.06), (0.17, 0.16), (0.13, 0.24), (0, 0.27)]), tone=0.86)
    _assemble(cut, drawing, sleeve=cut.between(0.8, 1.0, cut.covered), neck_y=0.2, sleeve_width=0.02, ribs=True)
    drawing.both_strokes([(0.035, 0.2), (0.04, cut.between(0.3, 0.42, cut.sporty))], 0.009, "accent")
    pocket = [(-0.09, 0.68), (0.09, 0.68), (0.13, 0.86), (-0.13, 0.86), (-0.09, 0.68)]
    drawing.stroke(pocket, 0.006)
    if cut.bold > 0.1:
        drawing.stroke([(0, 0.22), (0, _hem(cut))], 0.01, "metal")
    return drawing


def blazer(cut: Cut) -> Drawing:
    drawing = _top(cut, sleeve=1.0, neck_y=0.5, pointed_neck=True, sleeve_width=0.005, longer=0.06)
    _lapels(drawing, 0.52, cut.between(0.075, 0.11, cut.bold))
    drawing.stroke([(0, 0.52), (0.02, _hem(cut, 0.06))], 0.006)
    rows = 1 if cut.bold > 0 else 2
    for row in range(rows):
        drawing.dot(0.03, 0.62 + 0.12 * row, 0.012, "metal" if cut.glossy > 0.2 else "seam")
    drawing.both_strokes([(0.08, 0.76), (0.16, 0.755)], 0.012)
    return drawing


def jacket(cut: Cut) -> Drawing:
    drawing = _top(cut, sleeve=1.0, neck_y=0.19, sleeve_width=0.035, ribs=cut.sporty > -0.2, longer=-0.06)
    drawing.stroke([(0, 0.19), (0, _hem(cut, -0.06))], 0.012, "metal")
    _collar(drawing, 0.1)
    if cut.loose > 0:  # padded
        for y in (0.36, 0.48, 0.6, 0.72, 0.84):
            drawing.stroke(smooth([(-0.2, y), (0, y + 0.02), (0.2, y)], closed=False), 0.006)
    else:
        drawing.both_strokes([(0.07, 0.62), (0.15, 0.72)], 0.01, "metal" if cut.bold > 0 else "seam")
    return drawing


def coat(cut: Cut) -> Drawing:
    longer = cut.between(0.08, 0.2, cut.covered)
    drawing = _top(cut, sleeve=1.0, neck_y=0.36, pointed_neck=True, sleeve_width=0.02, longer=longer,
                   flare=cut.between(0, 0.06, cut.romantic))  # fmt: skip
    _lapels(drawing, 0.4, 0.1)
    drawing.stroke([(0.03, 0.4), (0.03, _hem(cut, longer))], 0.006)
    for row in range(3):
        y = 0.48 + 0.13 * row
        drawing.dot(0.06, y, 0.012, "metal" if cut.glossy > 0.2 else "seam")
        if cut.bold < 0:
            drawing.dot(-0.03, y, 0.012, "metal" if cut.glossy > 0.2 else "seam")
    if cut.loose < 0:
        drawing.stroke([(-0.19, 0.66), (0.19, 0.66)], 0.03, "accent")
    return drawing


def _top(cut: Cut, **shape: float | bool) -> Drawing:
    drawing = Drawing()
    _assemble(cut, drawing, **shape)  # type: ignore[arg-type]
    return drawing


def _hem(cut: Cut, longer: float = 0.0) -> float:
    """How far down it reaches."""
    return cut.between(0.8, 1.02, cut.covered) + longer


def _assemble(
    cut: Cut,
    drawing: Drawing,
    sleeve: float,
    neck_y: float,
    sleeve_width: float = 0.0,
    flare: float = 0.0,
    longer: float = 0.0,
    curved_hem: float = 0.0,
    ribs: bool = False,
    pointed_neck: bool = False,
) -> None:
    """Sleeves behind, torso before them, then what the cut adds at neck, hem and sides."""
    shoulder = (0.235 if cut.man else 0.215) + 0.02 * cut.loose
    hem_y = _hem(cut, longer)
    chest = 0.185 + 0.04 * cut.loose
    arm = sleeve_outline(cut, shoulder, chest, sleeve, sleeve_width)
    drawing.both(arm, tone=0.93)
    if sleeve > 0.7 and (ribs or cut.striped_sides):
        end = sleeve_outline(cut, shoulder, chest, sleeve, sleeve_width, only_end=True)
        drawing.both(end, "trim" if cut.striped_sides else "cloth", tone=0.86)
    if cut.striped_sides and sleeve > 0.3:
        drawing.both_strokes([(shoulder + 0.005, SHOULDER_Y + 0.03), _arm_at(shoulder, sleeve * 0.95)], 0.016, "accent")
    body = _torso(cut, 0.1, neck_y, shoulder, hem_y, flare=flare, curved_hem=curved_hem, pointed=pointed_neck)
    _finish(cut, drawing, body, neck_y, hem_frill=not ribs, hem_y=hem_y, chest=chest + flare, pointed=pointed_neck)
    if ribs:
        width = chest + flare - 0.012
        band = mirrored([(0, hem_y - 0.055), (width, hem_y - 0.055), (width, hem_y - 0.055), (width - 0.008, hem_y),
                         (width - 0.008, hem_y), (0, hem_y + 0.006)])  # fmt: skip
        drawing.piece(slanted(band, cut.slope, 0.5), "trim" if cut.striped_sides else "cloth", 0.88)


def _torso(
    cut: Cut,
    neck_half: float,
    neck_y: float,
    shoulder: float,
    hem_y: float,
    armhole: float = 0.03,
    flare: float = 0.0,
    curved_hem: float = 0.0,
    pointed: bool = False,
) -> Points:
    chest = 0.185 + 0.04 * cut.loose
    waist = chest - 0.03 * (1 - cut.loose) * (0.3 if cut.man or cut.child else 1.0)
    hem = chest + 0.01 + flare
    mid = [] if pointed else [(neck_half * 0.72, 0.1 + (neck_y - 0.1) * 0.62)]
    neck = [(0.0, neck_y), (0.0, neck_y)] if pointed else [(0.0, neck_y)]
    outline = mirrored(
        [
            *neck, *mid, (neck_half, 0.11), (neck_half, 0.11), (shoulder, SHOULDER_Y - 0.005),
            (shoulder, SHOULDER_Y - 0.005),
            (max(shoulder - armhole, 0.1), 0.3), (chest, ARMPIT_Y), (chest, ARMPIT_Y), (waist, 0.62),
            (hem, hem_y - curved_hem), (hem, hem_y - curved_hem), (hem * 0.5, hem_y + curved_hem * 0.4),
            (0.0, hem_y + 0.008),
        ]
    )  # fmt: skip
    return slanted(outline, cut.slope, 0.5)


def _finish(
    cut: Cut,
    drawing: Drawing,
    body: Points,
    neck_y: float,
    hem_frill: bool,
    hem_y: float | None = None,
    chest: float = 0.19,
    pointed: bool = False,
) -> Drawing:
    hem_y = cut.between(0.82, 1.05, cut.covered) if hem_y is None else hem_y
    back = mirrored([(0, 0.1), (0.1, 0.105), (0.1, 0.105), (0.06, neck_y), (0, neck_y + 0.004)])
    drawing.piece(back, tone=0.68)
    if cut.frilled and hem_frill:
        drawing.piece(
            slanted(frill(chest + 0.012, hem_y - 0.02, 0.05 + 0.06 * cut.romantic, 7), cut.slope, 0.5), tone=0.9
        )
    drawing.piece(body)
    if not pointed:
        rim = smooth([(-0.1, 0.112), (-0.072, 0.1 + (neck_y - 0.1) * 0.66), (0, neck_y + 0.012),
                      (0.072, 0.1 + (neck_y - 0.1) * 0.66), (0.1, 0.112)], closed=False)  # fmt: skip
        drawing.stroke(rim, 0.014, "accent" if cut.striped_sides else "seam")
    if cut.bold > 0.35:
        for x in (-0.12, -0.09, -0.06, 0.06, 0.09, 0.12):
            drawing.dot(x, 0.2 + 0.2 * abs(x), 0.008, "metal")
    if cut.dressy:
        drawing.both_strokes([(0.095, 0.45), (0.1, hem_y - 0.04)], 0.004)
    return drawing


def sleeve_outline(
    cut: Cut, shoulder: float, chest: float, length: float, width: float, only_end: bool = False
) -> Points:
    """The right sleeve; ``length`` 1 reaches the hip."""
    puff = 0.055 * max(cut.romantic, 0) if length > 0.15 else 0.0
    end_x, end_y = _arm_at(shoulder, length)
    half = 0.048 + 0.02 * cut.loose + width + (0.02 * cut.romantic if length < 0.6 else 0)
    outer, inner = (end_x + half, end_y - 0.012), (end_x - half, end_y + 0.012)
    if only_end:
        rise = 0.06
        return smooth(
            [(outer[0] - 0.012, outer[1] - rise), (outer[0] - 0.012, outer[1] - rise), outer, outer, inner, inner,
             (inner[0] - 0.004, inner[1] - rise), (inner[0] - 0.004, inner[1] - rise)]
        )  # fmt: skip
    mid_x, mid_y = _arm_at(shoulder, length * 0.45)
    return smooth(
        [(shoulder - 0.05, 0.15), (shoulder - 0.05, 0.15), (shoulder + 0.035 + puff, SHOULDER_Y + 0.03 - 0.4 * puff),
         (mid_x + half + 0.012 + puff, mid_y), outer, outer, inner, inner, (chest - 0.01, ARMPIT_Y + 0.03),
         (chest - 0.01, ARMPIT_Y + 0.03), (chest - 0.05, 0.3)]
    )  # fmt: skip


def _arm_at(shoulder: float, length: float) -> tuple[float, float]:
    return (shoulder - 0.005 + 0.115 * length, SHOULDER_Y + 0.1 + 0.56 * length)


def _placket(drawing: Drawing, from_y: float, to_y: float) -> None:
    drawing.stroke([(0, from_y), (0, to_y)], 0.005)
    for i in range(5):
        drawing.dot(0.0, from_y + 0.05 + (to_y - from_y - 0.1) * i / 4, 0.0085)


def _collar(drawing: Drawing, reach: float) -> None:
    wing = smooth([(0.0, 0.185), (0.0, 0.185), (0.07, 0.09), (0.07, 0.09), (0.115, 0.115), (0.115, 0.115),
                   (reach, 0.255), (reach, 0.255)])  # fmt: skip
    drawing.both(wing, tone=0.95)


def _lapels(drawing: Drawing, to_y: float, width: float) -> None:
    wing = smooth([(0.005, to_y), (0.005, to_y), (0.075, 0.1), (0.075, 0.1), (0.115, 0.12), (0.115, 0.12),
                   (width + 0.045, 0.28), (width + 0.045, 0.28), (width + 0.01, 0.3), (width + 0.01, 0.3)])  # fmt: skip
    drawing.both(wing, tone=0.9)


def _pocket(drawing: Drawing, x: float, y: float, size: float) -> None:
    drawing.stroke([(x - size / 2, y), (x + size / 2, y), (x + size / 2, y + size), (x, y + size * 1.2),
                    (x - size / 2, y + size), (x - size / 2, y)], 0.005)  # fmt: skip


def bow(drawing: Drawing, x: float, y: float, size: float) -> None:
    for side in (-1, 1):
        loop = smooth([(x, y), (x, y), (x + side * size, y - size * 0.6), (x + side * size * 1.1, y + size * 0.4)])
        tail = smooth(
            [(x, y), (x, y), (x + side * size * 0.35, y + size * 2), (x + side * size * 0.75, y + size * 1.9)]
        )
        drawing.piece(tail, tone=0.84)
        drawing.piece(loop, tone=0.92)
    drawing.piece(ellipse(x, y, size * 0.2, size * 0.24), tone=0.8)
