"""The cut: how an article's style vector shows in its shape."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cut:
    """Style directions (see ``styles.DIRECTIONS``) as they are drawn, from -1 to 1, and for whom."""

    romantic: float  # frills, puffed sleeves, bows; minimal: nothing of that
    sporty: float  # side stripes, cuffs in a second colour; dressy: creases, lapels, pointed shapes
    loose: float  # width
    covered: float  # length of hem and sleeve, height of neckline
    bold: float  # slanted hems, zips, studs; classic: buttons
    glossy: float  # sheen; natural: grain
    child: bool = False
    man: bool = False

    @classmethod
    def of(cls, style: NDArray[np.float32], group: str) -> Cut:
        """The cut of a style vector [6] for an index group."""
        romantic, sporty, loose, covered, bold, glossy = np.tanh(style / 1.3).tolist()
        return cls(romantic, sporty, loose, covered, bold, glossy, group == "Baby/Children", group == "Menswear")

    def ends(self) -> dict[str, float]:
        """How far it goes, from -1 to 1, towards each end that ``silhouettes.svg`` names."""
        man = 1.0 if self.man else -1.0
        return {
            "romantic": self.romantic, "minimal": -self.romantic, "sporty": self.sporty, "dressy": -self.sporty,
            "loose": self.loose, "fitted": -self.loose, "covered": self.covered, "light": -self.covered,
            "bold": self.bold, "classic": -self.bold, "glossy": self.glossy, "man": man, "woman": -man,
            "child": 1.0 if self.child else -1.0,
        }  # fmt: skip
