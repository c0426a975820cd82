"""Which categories are bought after which: co-occurrence, as lift.

Single articles are bought too rarely for that to be known of each. Their departments, colours and types are not, so
these tables are small, dense and smoothed, and hold for an article that was never sold.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

LIFT_CATEGORIES = (
    "department_name",
    "section_name",
    "product_type_name",
    "colour_group_name",
    "index_name",
    "graphical_appearance_name",
)


@dataclass(frozen=True)
class CoOccurrence:
    """Counted before a day (``towers/training/counts/co_occurrence.py``), stored with the release's articles."""

    lifts: dict[str, npt.NDArray[np.float32]]  # category -> [codes, codes]: P(next is column | row) / P(column)

    def save(self, folder: Path) -> None:
        """Write one file a category."""
        for name, lift in self.lifts.items():
            np.save(folder / f"lift_{name}.npy", lift)

    @classmethod
    def load(cls, folder: Path) -> CoOccurrence | None:
        """Read what :meth:`save` wrote; None where it wrote nothing."""
        paths = {name: folder / f"lift_{name}.npy" for name in LIFT_CATEGORIES}
        if not all(path.is_file() for path in paths.values()):
            return None
        return cls({name: np.load(path) for name, path in paths.items()})
