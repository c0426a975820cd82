"""PCA to 256 dimensions, and what it keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.decomposition import PCA

from infra.base.errors import UserError
from towers.images.reduction import IMAGE_DIM, Reduction


def correlated(rows: int, dim: int, seed: int = 5) -> np.ndarray:
    rng = np.random.default_rng(seed)
    spectrum = np.linspace(3, 0.05, dim)
    return (rng.normal(size=(rows, dim)) * spectrum @ rng.normal(size=(dim, dim)) + 4).astype(np.float32)


@pytest.mark.parametrize(("rows", "dim"), [(700, 400), (300, 400), (50, 400), (90, 12)])
def test_it_is_scikit_learns_transform_times_one_factor_padded_with_zeros(rows: int, dim: int) -> None:
    vectors = correlated(rows, dim)
    reduction = Reduction.fit(vectors, "any", "digest")
    kept = min(IMAGE_DIM, rows, dim)
    expected = PCA(kept, svd_solver="full").fit(vectors.astype(np.float64)).transform(vectors) * reduction.scale
    reduced = reduction.transform(vectors)
    assert (reduced.shape, reduced.dtype) == ((rows, IMAGE_DIM), np.dtype(np.float32))
    signs = np.sign((expected[:, : kept - 1] * reduced[:, : kept - 1]).sum(axis=0))  # a component's sign is arbitrary
    np.testing.assert_allclose(reduced[:, : kept - 1], expected[:, : kept - 1] * signs, atol=2e-3)
    assert (reduced[:, kept:] == 0).all()


def test_kept_components_have_a_mean_variance_of_one() -> None:
    vectors = correlated(700, 400)
    reduced = Reduction.fit(vectors, "any", "digest").transform(vectors)
    assert reduced.var(axis=0, ddof=1).mean() == pytest.approx(1, abs=1e-3)


def test_a_stored_pca_gives_later_articles_the_same_axes(tmp_path: Path) -> None:
    fitted = Reduction.fit(correlated(700, 400), "efficientnet-lite0", "digest")
    fitted.save(tmp_path / "pca.npz")
    loaded = Reduction.load(tmp_path / "pca.npz")
    later = correlated(30, 400, seed=8)
    np.testing.assert_array_equal(loaded.transform(later), fitted.transform(later))
    np.testing.assert_allclose(loaded.transform(later[7:8])[0], loaded.transform(later)[7], atol=1e-4)
    assert (loaded.backbone, loaded.weights_digest) == ("efficientnet-lite0", "digest")


def test_the_file_needs_no_pickle_and_holds_what_a_release_names(tmp_path: Path) -> None:
    Reduction.fit(correlated(300, 40), "efficientnet-lite0", "digest").save(tmp_path / "pca.npz")
    with np.load(tmp_path / "pca.npz", allow_pickle=False) as content:
        assert {"mean", "components", "explained_variance", "backbone"} <= set(content)
        assert str(content["backbone"]) == "efficientnet-lite0"


def test_variance_kept_and_components_for_the_aim_in_a_world_of_known_variances() -> None:
    rng = np.random.default_rng(2)
    axes = np.linalg.qr(rng.normal(size=(4000, 4)))[0]
    vectors = (axes - axes.mean(axis=0)) * np.sqrt([3.0, 90.0, 6.0, 1.0])
    reduction = Reduction.fit(vectors.astype(np.float32), "any", "digest")
    assert reduction.share_kept == pytest.approx(1)
    assert reduction.explained_variance / reduction.explained_variance.sum() == pytest.approx(
        [0.90, 0.06, 0.03, 0.01], abs=2e-3
    )
    assert reduction.components_for_aim == 2


def test_less_than_two_pictures_span_nothing() -> None:
    with pytest.raises(UserError, match="1 readable pictures are too few"):
        Reduction.fit(np.ones((1, 4), np.float32), "any", "digest")


def test_pictures_that_are_all_alike_reduce_to_zeros() -> None:
    vectors = np.ones((5, 4), np.float32)
    reduction = Reduction.fit(vectors, "any", "digest")
    assert (reduction.transform(vectors) == 0).all()
    assert reduction.share_kept == 1


def test_a_missing_file_names_the_command_that_makes_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="vitrine images"):
        Reduction.load(tmp_path / "pca.npz")
