"""What stands in for a missing picture: the mean of the articles of its product type and colour.

Whether an article has a picture must not become a signal (in a sample, often only what sold has one), so there is no
feature for it and a missing picture looks like the middle of its kind.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

Kind = tuple[str, str]  # product type, colour
ANY = ""


@dataclass(frozen=True)
class Filling:
    """Mean embeddings by (product type, colour), by (product type, ANY) and overall under (ANY, ANY)."""

    means: Mapping[Kind, npt.NDArray[np.float32]]

    @classmethod
    def fit(cls, kinds: Sequence[Kind], embeddings: npt.NDArray[np.float32]) -> Filling:
        """Means over pictured articles: ``kinds`` and ``embeddings`` [n, d] in the same order, n > 0."""
        rows: defaultdict[Kind, list[int]] = defaultdict(list)
        for row, (product_type, colour) in enumerate(kinds):
            for kind in {(product_type, colour), (product_type, ANY), (ANY, ANY)}:
                rows[kind].append(row)
        means = {kind: embeddings[group].mean(axis=0, dtype=np.float64) for kind, group in rows.items()}
        return cls({kind: mean.astype(np.float32) for kind, mean in means.items()})

    def __call__(self, kind: Kind) -> npt.NDArray[np.float32]:
        """The mean embedding [d] of the nearest kind that has pictures."""
        product_type, _ = kind
        for candidate in (kind, (product_type, ANY)):
            if candidate in self.means:
                return self.means[candidate]
        return self.means[ANY, ANY]

    def save(self, path: Path) -> None:
        """Write atomically as ``.npz``."""
        kinds = sorted(self.means)
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(
                file,
                kinds=np.array(kinds, dtype=np.str_).reshape(-1, 2),
                means=np.stack([self.means[kind] for kind in kinds]),
            )
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Filling:
        """Read what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as content:
            kinds = [(str(product_type), str(colour)) for product_type, colour in content["kinds"]]
            return cls(dict(zip(kinds, content["means"], strict=True)))
