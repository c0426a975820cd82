"""PCA of the backbone's embeddings to 256 dimensions, kept as a file so that later articles get the same axes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.decomposition import PCA

from infra.base.errors import UserError

IMAGE_DIM = 256
VARIANCE_AIM = 0.95
_LEAST_VARIANCE = 1e-12
"""Less is what rounding leaves of pictures that are all alike."""


@dataclass(frozen=True)
class Reduction:
    """Principal axes, and one factor that brings the result to the scale of the towers' other inputs.

    The factor is the same for all dimensions (their mean variance over the fitted pictures becomes 1), so the angles
    and the order of distances between pictures are those of the PCA itself. Whitening would give the last component
    the weight of the first.
    """

    mean: npt.NDArray[np.float32]  # [dim]
    components: npt.NDArray[np.float32]  # [k, dim], k <= IMAGE_DIM
    explained_variance: npt.NDArray[np.float64]  # [min(n, dim)], of all components, largest first
    scale: float
    backbone: str
    weights_digest: str

    @classmethod
    def fit(cls, vectors: npt.NDArray[np.float32], backbone: str, weights_digest: str) -> Reduction:
        """Fit on embeddings [n, dim].

        Raises:
            UserError: there are fewer than two pictures, which span nothing.
        """
        pictures, dim = vectors.shape
        if pictures < 2:
            raise UserError(f"{pictures} readable pictures are too few for a PCA; leave out `vitrine images`")
        solver = "covariance_eigh" if pictures > dim else "full"
        with np.errstate(invalid="ignore"):  # shares of no variance, which are not used
            pca = PCA(svd_solver=solver).fit(vectors.astype(np.float64))
        kept = min(IMAGE_DIM, pictures, dim)
        mean_variance = float(pca.explained_variance_[:kept].mean())
        return cls(
            mean=pca.mean_.astype(np.float32),
            components=pca.components_[:kept].astype(np.float32),
            explained_variance=np.asarray(pca.explained_variance_, np.float64),
            scale=mean_variance**-0.5 if mean_variance > _LEAST_VARIANCE else 1.0,
            backbone=backbone,
            weights_digest=weights_digest,
        )

    def transform(self, vectors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Embeddings [n, dim] to float32 [n, IMAGE_DIM], zeros behind the last component."""
        reduced = (vectors - self.mean) @ self.components.T * np.float32(self.scale)
        return np.pad(reduced, ((0, 0), (0, IMAGE_DIM - reduced.shape[1]))).astype(np.float32)

    @property
    def tells_apart(self) -> bool:
        """Whether the pictures it was fitted to differ."""
        return bool(self.explained_variance[: len(self.components)].mean() > _LEAST_VARIANCE)

    @property
    def share_kept(self) -> float:
        """Share of the embeddings' variance that the kept components hold."""
        return float(self._cumulative_shares()[len(self.components) - 1])

    @property
    def components_for_aim(self) -> int:
        """How many components would hold VARIANCE_AIM of the variance."""
        return int(np.searchsorted(self._cumulative_shares(), VARIANCE_AIM) + 1)

    def _cumulative_shares(self) -> npt.NDArray[np.float64]:
        total = self.explained_variance.sum()
        if total <= 0:
            return np.ones_like(self.explained_variance)
        return np.minimum(np.cumsum(self.explained_variance) / total, 1.0)

    def save(self, path: Path) -> None:
        """Write atomically as ``.npz``."""
        partial = path.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, **vars(self))
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> Reduction:
        """Read what ``save`` wrote.

        Raises:
            UserError: there is no such file.
        """
        if not path.is_file():
            raise UserError(f"{path} is missing; make it with `vitrine images DATA_DIR`")
        with np.load(path, allow_pickle=False) as content:
            return cls(**{name: array if array.ndim else array.item() for name, array in content.items()})
