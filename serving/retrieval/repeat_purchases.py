"""How often articles are bought again, as counted before a day and stored with the release's articles."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

_FILE = "rebuy_rates.npy"


@dataclass(frozen=True)
class RepeatPurchases:
    """Of every article, sold before or not (``towers/training/counts``)."""

    rate: npt.NDArray[np.float32]  # [n] share of purchases of the article that were soon repeated
    product_rate: npt.NDArray[np.float32]  # [n] the same of its product, in any colour
    category_odds: npt.NDArray[np.float32]  # [n] sum over categories of log(rate of its value / rate of all)
    visit_chance: npt.NDArray[np.float32]  # [n] log of the chance on one visit, of its categories and its own record

    def save(self, folder: Path) -> None:
        """Write one file."""
        np.save(folder / _FILE, np.stack([getattr(self, field.name) for field in fields(self)]))

    @classmethod
    def load(cls, folder: Path) -> RepeatPurchases | None:
        """Read what :meth:`save` wrote; None where it wrote nothing."""
        path = folder / _FILE
        return cls(*np.load(path)) if path.is_file() else None
