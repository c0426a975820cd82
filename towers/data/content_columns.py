"""What an article is as plain numbers: metadata, words and picture side by side, for models that are linear in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy import sparse
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfTransformer

from towers.models.article_encoder import TERM_BUCKETS, ArticleContent

CATEGORY_COLUMNS = 128
TERM_COLUMNS = 64
IMAGE_COLUMNS = 64
"""The leading components of the pictures' PCA."""


def content_columns(content: ArticleContent) -> npt.NDArray[np.float32]:
    """[n, columns]: categories one-hot, words by tf-idf, both by SVD where they are many, and pictures if there are."""
    blocks = [_reduced(_one_hot(content), CATEGORY_COLUMNS), _scaled(_reduced(_words(content), TERM_COLUMNS))]
    images = content.images[:, :IMAGE_COLUMNS].astype(np.float32)
    if images.any():
        blocks.append(_scaled(images))
    return np.hstack(blocks).astype(np.float32)


def _one_hot(content: ArticleContent) -> sparse.csr_matrix:
    starts = np.cumsum([0, *content.category_sizes])
    columns = (content.categories + starts[:-1]).ravel()
    rows = np.arange(0, len(columns) + 1, content.categories.shape[1])
    return sparse.csr_matrix((np.ones(len(columns), np.float32), columns, rows), shape=(len(content), starts[-1]))


def _words(content: ArticleContent) -> sparse.csr_matrix:
    rows, places = np.nonzero(content.terms)
    counts = sparse.csr_matrix(
        (np.ones(len(rows), np.float32), (rows, content.terms[rows, places])), shape=(len(content), TERM_BUCKETS)
    )
    words: sparse.csr_matrix = TfidfTransformer().fit_transform(counts)
    return words


def _reduced(matrix: sparse.csr_matrix, most: int) -> npt.NDArray[np.float32]:
    """At most so many columns: those that are not empty, or their leading singular directions."""
    used = matrix[:, np.flatnonzero(matrix.getnnz(axis=0))]
    if used.shape[1] <= most:
        dense: npt.NDArray[np.float32] = used.toarray()
        return dense
    reduced: npt.NDArray[np.float32] = TruncatedSVD(min(most, used.shape[0]), random_state=0).fit_transform(used)
    return reduced


def _scaled(columns: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Of mean square 1; as they are where there is nothing to scale."""
    size = float(np.linalg.norm(columns)) / max(columns.size, 1) ** 0.5
    return columns / np.float32(size) if size else columns
