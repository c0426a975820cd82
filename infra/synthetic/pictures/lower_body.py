"""Silhouettes from the waist down, and whole-body ones: trousers, skirts, dresses, jumpsuits, pyjamas."""

from __future__ import annotations

from infra.synthetic.pictures import upper_body
from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.drawing import Drawing, Points, frill, mirrored, shifted, slanted, smooth


def trousers(cut: Cut) -> Drawing:
    return _legs(cut, length=cut.between(0.86, 1.0, cut.covered), flare=0.02 + 0.05 * cut.loose + 0.02 * cut.bold)


def jeans(cut: Cut) -> Drawing:
    drawing = _legs(cut, length=cut.between(0.86, 1.0, cut.covered), flare=-0.005 + 0.05 * cut.loose, fly=True)
    drawing.both_strokes([(0.075, 0.185), (0.1, 0.25), (0.165, 0.26)], 0.008, "accent")
    if cut.bold > 0.2:  # ripped knees
        for y in (0.66, 0.69, 0.72):
            drawing.both_strokes([(0.085, y), (0.15, y + 0.006)], 0.008, "accent")
    return drawing


def leggings(cut: Cut) -> Drawing:
    drawing = _legs(cut, length=cut.between(0.8, 1.0, cut.covered), flare=-0.035, slim=0.035)
    drawing.piece(_band(0.135, 0.1, 0.2), tone=0.9)
    return drawing


def shorts(cut: Cut) -> Drawing:
    drawing = _legs(
        cut, length=cut.between(0.34, 0.58, cut.covered), flare=0.03 + 0.035 * cut.loose, fly=not cut.frilled
    )
    if cut.frilled:
        _waist_tie(drawing)
    return drawing.moved(1.2, 1.2, dy=0.22)


def skirt(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0, 0.55))
    _skirt(drawing, cut, top=0.14, waist=0.145, hem_y=cut.between(0.58, 1.1, cut.covered))
    drawing.piece(_band(0.146, 0.1, 0.155), "trim" if cut.striped_sides else "cloth", 0.88)
    if cut.bold < -0.2:
        for i in range(4):
            drawing.dot(0.0, 0.22 + 0.1 * i, 0.011)
    return drawing.moved(1.1, 1.1, dy=0.06)


def dress(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0, 0.34))
    waist_y = 0.47 - 0.04 * cut.romantic
    waist = 0.125 + 0.04 * cut.loose
    chest = 0.155 + 0.025 * cut.loose
    neck_y = cut.between(0.27, 0.14, cut.covered)
    shoulder = 0.165 if cut.covered > -0.25 else 0.115
    if cut.covered > -0.25:
        sleeve = cut.between(0.05, 1.0, cut.covered)
        arm = upper_body.sleeve_outline(cut, shoulder, chest, sleeve, 0.01 + 0.02 * max(cut.romantic, 0))
        drawing.both(arm, tone=0.92)
    _skirt(drawing, cut, top=waist_y - 0.01, waist=waist, hem_y=cut.between(0.82, 1.17, cut.covered))
    bodice = mirrored(
        [(0, neck_y), (0.062, 0.1 + (neck_y - 0.1) * 0.6), (0.085, 0.11), (0.085, 0.11), (shoulder, 0.16),
         (shoulder, 0.16),
         (min(shoulder, chest) - 0.02, 0.26), (chest, 0.36), (chest, 0.36), (waist, waist_y), (waist, waist_y),
         (0, waist_y + 0.008)]
    )  # fmt: skip
    drawing.piece(mirrored([(0, 0.1), (0.085, 0.108), (0.085, 0.108), (0.05, neck_y), (0, neck_y)]), tone=0.66)
    drawing.piece(bodice)
    if cut.loose < 0.3:
        drawing.stroke([(-waist, waist_y), (waist, waist_y)], 0.022, "accent" if cut.sporty > 0 else "seam")
    if cut.romantic > 0.45:
        upper_body.bow(drawing, 0.0, waist_y, 0.05)
    if cut.bold < -0.35:
        for i in range(4):
            drawing.dot(0, neck_y + 0.05 + 0.06 * i, 0.008)
    if cut.bold > 0.35:
        drawing.stroke([(0, neck_y), (0, waist_y)], 0.01, "metal")
    return drawing


def jumpsuit(cut: Cut) -> Drawing:
    legs = _legs(cut, length=cut.between(0.5, 1.0, cut.covered), flare=0.02 + 0.04 * cut.loose).moved(
        0.86, 0.86, dy=0.155
    )
    drawing = Drawing(legs.marks, print_at=(0, 0.3))
    neck_y = cut.between(0.28, 0.15, cut.covered)
    if cut.covered > 0:
        drawing.both(upper_body.sleeve_outline(cut, 0.15, 0.14, cut.covered, 0.0), tone=0.92)
    drawing.piece(mirrored([(0, 0.1), (0.08, 0.105), (0.08, 0.105), (0.05, neck_y), (0, neck_y)]), tone=0.66)
    drawing.piece(
        mirrored([(0, neck_y), (0.06, 0.1 + (neck_y - 0.1) * 0.6), (0.08, 0.11), (0.08, 0.11), (0.145, 0.15),
                  (0.145, 0.15), (0.125, 0.26), (0.145, 0.34), (0.145, 0.34), (0.135, 0.47), (0.14, 0.5), (0, 0.5)])
    )  # fmt: skip
    drawing.stroke([(-0.13, 0.46), (0.13, 0.46)], 0.022, "accent" if cut.sporty > 0 else "seam")
    return drawing


def pyjama(cut: Cut) -> Drawing:
    """A shirt above, trousers below."""
    below = _legs(cut, length=cut.between(0.5, 0.95, cut.covered), flare=0.04).moved(0.72, 0.72, dx=0.14, dy=0.16)
    above = upper_body.shirt(cut).moved(0.74, 0.74, dx=-0.1, dy=-0.1)
    return Drawing([*below.marks, *above.marks], above.print_at)


def _legs(cut: Cut, length: float, flare: float, slim: float = 0.0, fly: bool = False) -> Drawing:
    """Trousers of any length (1 to the floor), the legs slightly apart."""
    drawing = Drawing(print_at=(0.1, 0.5))
    waist = 0.14 + 0.005 * cut.loose
    hip = 0.185 + 0.025 * cut.loose - slim
    crotch = 0.45
    end_y = 0.14 + length
    reach = (end_y - crotch) / 0.7  # how far down the leg
    centre = 0.095 + 0.02 * reach
    half = max(0.085 - 0.02 * reach - slim * 0.4 + flare * reach, 0.032) + 0.018 * cut.loose
    centre = max(centre, half + 0.012)  # the legs stay apart
    leg = smooth(
        [(0, 0.12), (0, 0.12), (waist, 0.12), (waist, 0.12), (hip, 0.34), (centre + half + 0.01, (crotch + end_y) / 2),
         (centre + half, end_y), (centre + half, end_y), (centre - half, end_y), (centre - half, end_y),
         (0.006, crotch),
         (0.006, crotch)]
    )  # fmt: skip
    drawing.both(leg)
    if cut.striped_sides:
        drawing.both_strokes(smooth([(waist - 0.012, 0.15), (hip - 0.014, 0.34),
                                     (centre + half - 0.012, end_y)], closed=False),
                             0.02, "accent")  # fmt: skip
        drawing.both(_cuff(centre, half, end_y), "trim", 0.95)
    if cut.dressy and length > 0.6:
        drawing.both_strokes([(0.085, 0.28), (centre, end_y - 0.02)], 0.004)
    if cut.frilled and length < 0.7:
        drawing.both(shifted(frill(half, 0, 0.07, 4), centre, end_y - 0.02), tone=0.9)
    drawing.piece(_band(waist, 0.1, 0.15), "trim" if cut.striped_sides else "cloth", 0.9)
    if fly:
        drawing.stroke(smooth([(0, 0.15), (0.03, 0.24), (0, 0.3)], closed=False), 0.005)
        drawing.dot(0, 0.126, 0.011, "metal")
    elif cut.sporty > 0:
        drawing.stroke([(-0.015, 0.13), (-0.025, 0.24)], 0.008, "accent")
        drawing.stroke([(0.015, 0.13), (0.022, 0.22)], 0.008, "accent")
    if cut.bold > 0.35 and not fly:
        drawing.both_strokes([(0.08, 0.2), (0.13, 0.3)], 0.01, "metal")
    return drawing


def _skirt(drawing: Drawing, cut: Cut, top: float, waist: float, hem_y: float) -> None:
    hem = waist + 0.05 + 0.07 * (cut.loose + 1) / 2 + 0.05 * max(cut.romantic, 0) + 0.05 * (hem_y - top)
    outline = mirrored(
        [(0, top), (waist, top), (waist, top), (waist + 0.45 * (hem - waist) + 0.015, (top * 1.3 + hem_y) / 2.3),
         (hem, hem_y),
         (hem, hem_y), (hem * 0.5, hem_y + 0.014), (0, hem_y + 0.018)]
    )  # fmt: skip
    if cut.frilled:
        drawing.piece(
            slanted(frill(hem, hem_y - 0.02, 0.05 + 0.07 * cut.romantic, 8), cut.slope * 1.3, top + 0.1), tone=0.88
        )
    drawing.piece(slanted(outline, cut.slope * 1.3, top + 0.1))
    folds = 2 if cut.loose > -0.2 else 0
    for i in range(folds):
        x = 0.25 + 0.4 * i
        drawing.both_strokes([(waist * x, top + 0.1), (hem * x, hem_y - 0.03)], 0.0035)
    if cut.dressy:
        drawing.stroke([(hem * 0.4, hem_y - 0.2), (hem * 0.45, hem_y)], 0.008)
    if cut.striped_sides:
        drawing.both_strokes([(waist - 0.012, top + 0.02), (hem - 0.02, hem_y - 0.01)], 0.018, "accent")


def _waist_tie(drawing: Drawing) -> None:
    upper_body.bow(drawing, 0.0, 0.14, 0.045)


def _band(half: float, y: float, to_y: float) -> Points:
    return mirrored(
        [(0, y), (half - 0.006, y), (half - 0.006, y), (half + 0.004, to_y), (half + 0.004, to_y), (0, to_y)]
    )


def _cuff(centre: float, half: float, end_y: float) -> Points:
    return smooth([(centre - half, end_y - 0.045), (centre - half, end_y - 0.045), (centre + half, end_y - 0.045),
                   (centre + half, end_y - 0.045), (centre + half - 0.004, end_y), (centre + half - 0.004, end_y),
                   (centre - half + 0.004, end_y), (centre - half + 0.004, end_y)])  # fmt: skip
