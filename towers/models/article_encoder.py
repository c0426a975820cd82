"""What an article is, apart from how it sells: metadata, words and picture in one vector that both towers share."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

TERM_BUCKETS = 8_192
TERMS_PER_ARTICLE = 32
IMAGE_DIM = 256


@dataclass(frozen=True)
class ArticleContent:
    """Content of all articles of a release, in index order."""

    categories: npt.NDArray[np.int32]  # [n, categories] vocabulary indexes, 0 = unknown
    category_sizes: tuple[int, ...]
    terms: npt.NDArray[np.int32]  # [n, TERMS_PER_ARTICLE] hashed words, 0 = none
    images: npt.NDArray[np.float16]  # [n, IMAGE_DIM] embeddings after PCA, divided by ``image_scale``; zeros = none
    image_scale: float = 1.0

    def __len__(self) -> int:
        return len(self.categories)


@dataclass(frozen=True)
class EncoderSize:
    """Widths of the encoder's parts."""

    category_dim: int = 16
    term_dim: int = 32
    image_dim: int = 32
    content_dim: int = 64


class ArticleEncoder(tf.keras.layers.Layer):
    """Content of articles -> content vectors, [m, content_dim]. A cold article is encoded like any other."""

    def __init__(self, category_sizes: tuple[int, ...], size: EncoderSize) -> None:
        super().__init__(name="article_encoder")
        self._categories = [
            _embedding(vocabulary, min(size.category_dim, 2 * math.ceil(vocabulary**0.5)))
            for vocabulary in category_sizes
        ]
        self.categories = len(category_sizes)
        self._terms = _embedding(TERM_BUCKETS, size.term_dim)
        self._image = tf.keras.layers.Dense(size.image_dim, activation="relu")
        self._out = tf.keras.layers.Dense(size.content_dim)

    def call(self, categories: tf.Tensor, image: tf.Tensor, terms: tf.Tensor) -> tf.Tensor:
        """Args:
        categories: int32 [m, categories].
        image: float32 [m, IMAGE_DIM].
        terms: int32 [m, TERMS_PER_ARTICLE], 0 = none.
        """
        parts = [embed(categories[:, column]) for column, embed in enumerate(self._categories)]
        present = tf.cast(terms > 0, tf.float32)[:, :, None]
        words = tf.reduce_sum(self._terms(terms) * present, axis=1)
        # Divided by the root, a longer text says more than a shorter one without drowning it.
        words /= tf.sqrt(tf.maximum(tf.reduce_sum(present, axis=1), 1.0))
        return self._out(tf.concat([*parts, words, self._image(image)], axis=1))


def _embedding(vocabulary: int, dim: int) -> tf.keras.layers.Embedding:
    # Keras starts embeddings so near zero that a small shop's articles all look alike for the first epochs.
    return tf.keras.layers.Embedding(vocabulary, dim, embeddings_initializer=tf.keras.initializers.RandomNormal(0, 0.2))
