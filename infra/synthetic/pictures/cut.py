"""The cut: how an article's style vector shows in its shape. Each value runs from -1 to 1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Cut:
    """Style directions as they are drawn (see ``styles.DIRECTIONS``), and for whom."""

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
        romantic, sporty, loose, covered, bold, glossy = (float(value) for value in np.tanh(style / 1.3))
        return cls(
            romantic, sporty, loose, covered, bold, glossy, child=group == "Baby/Children", man=group == "Menswear"
        )

    def between(self, low: float, high: float, value: float) -> float:
        """``low`` at value -1, ``high`` at 1."""
        return low + (high - low) * (value + 1) / 2

    @property
    def frilled(self) -> bool:
        return self.romantic > 0.25

    @property
    def striped_sides(self) -> bool:
        return self.sporty > 0.3

    @property
    def dressy(self) -> bool:
        return self.sporty < -0.3

    @property
    def slope(self) -> float:
        """Tilt of the hem."""
        return 0.32 * max(self.bold - 0.2, 0.0)
