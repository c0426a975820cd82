"""Numbers and categories made fit for a network: fitted with scikit-learn, applied inside the TensorFlow graph.

What is fitted goes into the graph as constants, so that a served model takes raw values and no second implementation of
the preprocessing exists. A test holds the graph's output to scikit-learn's own ``transform``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, StandardScaler

CLIP = 5.0
"""Standard deviations beyond which a value says nothing more; without it a few whales steer the network."""


def signed_log(values: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
    """sign(x) log(1 + |x|): tames counts and prices, leaves shares and sines nearly as they are; NaN stays NaN."""
    values = np.asarray(values, np.float64)
    result: npt.NDArray[np.float64] = np.sign(values) * np.log1p(np.abs(values))
    return result


def _clip(values: npt.NDArray[np.floating]) -> npt.NDArray[np.floating]:
    return np.clip(values, -CLIP, CLIP)


@dataclass(frozen=True)
class NumericPreprocessing:
    """Signed log, standardised, clipped; missing becomes the mean, and columns that can be missing get an indicator."""

    pipeline: Pipeline
    mean: npt.NDArray[np.float32]  # [columns] of the signed logs
    scale: npt.NDArray[np.float32]  # [columns]
    indicators: npt.NDArray[np.int32]  # columns that were missing somewhere when fitted

    @property
    def width(self) -> int:
        """Number of columns that come out."""
        return len(self.mean) + len(self.indicators)

    @classmethod
    def fit(cls, rows: npt.NDArray[np.floating]) -> NumericPreprocessing:
        """Fit on raw rows, [rows, columns], NaN = missing.

        A column without any value comes out as zeros; without rows that is every column.
        """
        if not len(rows):
            rows = np.full((1, rows.shape[1]), np.nan)
        scaler = StandardScaler()
        imputer = SimpleImputer(strategy="constant", fill_value=0.0, add_indicator=True, keep_empty_features=True)
        pipeline = make_pipeline(FunctionTransformer(signed_log), scaler, FunctionTransformer(_clip), imputer)
        with np.errstate(invalid="ignore"):
            pipeline.fit(np.asarray(rows, np.float64))
        return cls(
            pipeline,
            np.nan_to_num(scaler.mean_).astype(np.float32),
            np.where(np.isfinite(scaler.scale_) & (scaler.scale_ > 0), scaler.scale_, 1.0).astype(np.float32),
            np.flatnonzero(np.isnan(rows).any(axis=0)).astype(np.int32),
        )

    def in_graph(self, rows: tf.Tensor) -> tf.Tensor:
        """The same transformation in TensorFlow: [batch, columns] -> [batch, width]."""
        missing = tf.math.is_nan(rows)
        # The inner where keeps NaN out of gradients and of the log.
        known = tf.where(missing, tf.zeros_like(rows), rows)
        logs = tf.sign(known) * tf.math.log1p(tf.abs(known))
        scaled = tf.clip_by_value((logs - self.mean) / self.scale, -CLIP, CLIP)
        filled = tf.where(missing, tf.zeros_like(scaled), scaled)
        if not len(self.indicators):
            return filled
        flags = tf.cast(tf.gather(missing, self.indicators, axis=1), rows.dtype)
        return tf.concat([filled, flags], axis=1)


@dataclass(frozen=True)
class CategoryPreprocessing:
    """One-hot columns of vocabulary indexes; index 0 is "unknown" and has a column of its own: that tells something."""

    encoder: OneHotEncoder
    sizes: tuple[int, ...]  # vocabulary size of each category, the unknown included

    @property
    def width(self) -> int:
        """Number of columns that come out."""
        return sum(self.sizes)

    @classmethod
    def fit(cls, sizes: Sequence[int]) -> CategoryPreprocessing:
        """Fit on vocabularies; their sizes are all that matters for indexes."""
        encoder = OneHotEncoder(categories=[np.arange(size) for size in sizes], sparse_output=False)
        encoder.fit(np.zeros((1, len(sizes)), np.int32))
        return cls(encoder, tuple(sizes))

    def in_graph(self, indexes: tf.Tensor) -> tf.Tensor:
        """[batch, categories] -> [batch, width] of float32."""
        columns = [tf.one_hot(indexes[:, column], size) for column, size in enumerate(self.sizes)]
        return tf.concat(columns, axis=1)


def make_vocabulary(values: Sequence[str | None]) -> list[str]:
    """Values in alphabetical order behind "", which stands for unknown at index 0."""
    return ["", *sorted({value for value in values if isinstance(value, str) and value})]
