"""Silhouettes of underwear, swimwear and legwear."""

from __future__ import annotations

from infra.synthetic.pictures.cut import Cut
from infra.synthetic.pictures.drawing import Drawing, Points, ellipse, frill, mirrored, shifted, smooth


def bra(cut: Cut) -> Drawing:
    drawing = _cups(cut, strap=0.014 + 0.008 * cut.covered, band=0.05 + 0.04 * cut.covered)
    if cut.romantic > 0:
        drawing.dot(0, 0.64, 0.016, "accent")
    return drawing


def bikini_top(cut: Cut) -> Drawing:
    drawing = _cups(cut, strap=0.012, band=0.025 + 0.05 * max(cut.covered, 0), tied=cut.covered < 0)
    drawing.dot(0, 0.65, 0.02, "metal" if cut.glossy > 0.2 else "accent")
    return drawing


def briefs(cut: Cut) -> Drawing:
    return _briefs(cut)


def bikini_bottom(cut: Cut) -> Drawing:
    drawing = _briefs(cut)
    if cut.covered < 0:
        for side in (-1, 1):
            for reach in (0.06, 0.1):
                drawing.stroke([(side * 0.3, 0.47), (side * (0.3 + reach * 0.5), 0.47 + reach)], 0.012, "cloth")
            drawing.dot(side * 0.3, 0.475, 0.017, "metal" if cut.glossy > 0.2 else "cloth")
    return drawing


def swimsuit(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0, 0.55))
    neck_y = cut.between(0.46, 0.26, cut.covered)
    leg_y = cut.between(0.78, 0.94, cut.covered)
    waist = 0.15 + 0.02 * cut.loose
    drawing.piece(mirrored([(0, 0.3), (0.09, 0.12), (0.09, 0.12), (0.115, 0.12), (0.11, 0.4), (0, 0.5)]), tone=0.68)
    drawing.piece(
        mirrored([(0, neck_y), (0.075, neck_y - 0.1), (0.09, 0.11), (0.09, 0.11), (0.125, 0.11), (0.125, 0.11),
                  (0.135, 0.33),
                  (0.18, 0.4), (0.18, 0.4), (waist, 0.62), (0.19, leg_y), (0.19, leg_y), (0.11, 0.98), (0.045, 1.08),
                  (0.045, 1.08), (0, 1.09)])
    )  # fmt: skip
    _extras(drawing, cut, 0.62, waist)
    if cut.frilled:
        drawing.piece(frill(0.12, neck_y - 0.03, 0.08, 6), tone=0.92)
    return drawing


def socks(cut: Cut) -> Drawing:
    drawing = Drawing()
    top = cut.between(0.55, 0.12, cut.covered)
    for dx, tone in ((0.13, 0.86), (-0.1, 1.0)):
        half = 0.075 + 0.012 * cut.loose
        sock = smooth(
            [(dx - half, top), (dx - half, top), (dx + half, top), (dx + half, top), (dx + half - 0.006, 0.75),
             (dx + half, 0.86),
             (dx + half - 0.05, 1.0), (dx - 0.17, 1.08), (dx - 0.25, 1.03), (dx - 0.22, 0.95), (dx - half - 0.01, 0.86)]
        )  # fmt: skip
        drawing.piece(sock, tone=tone)
        drawing.stroke([(dx - half + 0.006, top + 0.03),
                        (dx + half - 0.006, top + 0.03)], 0.05 if cut.sporty > 0 else 0.012,
                       "accent" if cut.striped_sides else "seam")  # fmt: skip
        if cut.frilled:
            drawing.piece(shifted(frill(half, 0, 0.07, 5), dx, top - 0.01), tone=0.93)
        drawing.stroke(
            smooth([(dx + 0.01, 0.98), (dx + half - 0.04, 0.9), (dx + half - 0.01, 0.85)], closed=False), 0.006
        )
    return drawing


def tights(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0.1, 0.6))
    leg = smooth(
        [(0, 0.1), (0, 0.1), (0.12, 0.1), (0.12, 0.1), (0.15, 0.32), (0.135, 0.6), (0.12, 0.85), (0.115, 1.05),
         (0.17, 1.14),
         (0.12, 1.17), (0.06, 1.13), (0.05, 0.85), (0.03, 0.6), (0.006, 0.42), (0.006, 0.42)]
    )  # fmt: skip
    drawing.both(leg)
    drawing.piece(
        mirrored([(0, 0.09), (0.118, 0.09), (0.118, 0.09), (0.125, 0.15), (0.125, 0.15), (0, 0.155)]), tone=0.84
    )
    if cut.bold > 0.2:
        for y in (0.5, 0.58, 0.66, 0.74, 0.82):
            drawing.both_strokes([(0.05, y), (0.12, y + 0.05)], 0.004)
            drawing.both_strokes([(0.12, y), (0.05, y + 0.05)], 0.004)
    return drawing


def _cups(cut: Cut, strap: float, band: float, tied: bool = False) -> Drawing:
    drawing = Drawing(print_at=(0.11, 0.55))
    drawing.both_strokes(smooth([(0.1, 0.48), (0.13, 0.32), (0.12, 0.2)], closed=False), strap, "cloth")
    high = cut.between(0.46, 0.36, cut.covered)
    drawing.piece(
        mirrored([(0, 0.63), (0.2, 0.63), (0.37, 0.58), (0.37, 0.58), (0.37, 0.62), (0.37, 0.62), (0.2, 0.67 + band),
                  (0, 0.67 + band)]), tone=0.9,
    )  # fmt: skip
    cup: Points = smooth([(0.008, 0.66), (0.008, 0.66), (0.03, 0.56), (0.1, high), (0.1, high), (0.2, 0.5),
                          (0.235, 0.62),
                          (0.16, 0.7), (0.06, 0.7)])  # fmt: skip
    drawing.both(cup)
    if cut.frilled:
        drawing.both(shifted(frill(0.11, 0, 0.06, 5), 0.12, 0.66), tone=0.94)
    if cut.striped_sides:
        drawing.stroke([(-0.33, 0.63), (0.33, 0.63)], 0.025, "accent")
    if cut.dressy:
        drawing.both_strokes(smooth([(0.1, high + 0.03), (0.12, 0.6), (0.13, 0.68)], closed=False), 0.004)
    if cut.bold > 0.3:
        drawing.both_strokes([(0.04, 0.54), (0.1, 0.3)], 0.01, "cloth")
    if tied:
        drawing.both_strokes([(0.37, 0.6), (0.43, 0.68)], 0.012, "cloth")
    return drawing


def _briefs(cut: Cut) -> Drawing:
    drawing = Drawing(print_at=(0, 0.6))
    top = cut.between(0.5, 0.38, cut.covered)
    side = cut.between(0.05, 0.17, cut.covered)
    wide = 0.29 + 0.015 * cut.loose
    if cut.man:
        drawing.both(
            smooth([(0, top), (0, top), (wide - 0.03, top), (wide - 0.03, top), (wide, 0.9), (wide, 0.9), (0.06, 0.93),
                    (0.06, 0.93), (0, 0.8), (0, 0.8)])
        )  # fmt: skip
        drawing.both_strokes(smooth([(0.07, top + 0.08), (0.08, 0.65), (0.02, 0.8)], closed=False), 0.006)
    else:
        drawing.piece(mirrored([(0, top + 0.02), (0.2, top + 0.03), (0.2, 0.6), (0, 0.65)]), tone=0.7)
        drawing.piece(
            mirrored([(0, top + 0.03), (wide, top), (wide, top), (wide + 0.012, top + side), (wide + 0.012, top + side),
                      (0.17, top + side + 0.1), (0.075, 0.8), (0.06, 0.85), (0.06, 0.85), (0, 0.86)])
        )  # fmt: skip
        if cut.frilled:
            drawing.both_strokes(
                smooth([(wide, top + side), (0.17, top + side + 0.09), (0.075, 0.79)], closed=False), 0.018, "accent"
            )
        if cut.romantic > 0.1:
            drawing.dot(0, top + 0.05, 0.017, "accent")
    band = 0.05 if cut.sporty > 0 else 0.02
    rim = [
        (-wide + 0.004, top + band / 2),
        (0, top + band / 2 + (0 if cut.man else 0.03)),
        (wide - 0.004, top + band / 2),
    ]
    drawing.stroke(smooth(rim, closed=False), band, "accent" if cut.striped_sides else "seam")
    if cut.bold > 0.3:
        drawing.both(ellipse(0.2, top + 0.09, 0.03, 0.025), "metal")
    return drawing


def _extras(drawing: Drawing, cut: Cut, waist_y: float, waist: float) -> None:
    if cut.striped_sides:
        drawing.both_strokes(
            smooth([(0.165, 0.42), (waist - 0.012, waist_y), (0.175, 0.8)], closed=False), 0.022, "accent"
        )
    if cut.dressy:
        for y in (0.58, 0.63, 0.68):
            drawing.stroke(smooth([(-waist, y), (0, y + 0.03), (waist, y)], closed=False), 0.004)
    if cut.bold > 0.3:
        drawing.stroke([(0, 0.4), (0, 0.62)], 0.011, "metal")
