"""The query tower: a customer's profile, history, 30-day activity and last articles -> a unit vector.

A unit vector alone would be as sure of a cold customer's taste as of a returning one's. So the last dimension, in
which every candidate is zero, takes up what is not known: the other dimensions have length "confidence", and the scores
of a customer of whom little is known stay near each other, so that popularity decides.
"""

from __future__ import annotations

import tensorflow as tf

from towers.data.preprocessing import CategoryPreprocessing, NumericPreprocessing

LEAST_CONFIDENCE = 0.1


class RecencyPooling(tf.keras.layers.Layer):
    """Mean of the last articles' content vectors, the newer the heavier, by a learned rate of forgetting.

    A purchase enters here the moment it is known, and moves the customer at once.
    """

    def build(self, input_shape: object) -> None:
        # softplus(-7) = .001 a day: taste lasts unless purchases say otherwise. From faster rates training does not
        # find back: where half an article is forgotten in two weeks, it starts to live on the newest alone.
        self._rate = self.add_weight(name="forgetting", shape=(), initializer=tf.keras.initializers.Constant(-7.0))
        super().build(input_shape)

    def call(self, content: tf.Tensor, age_days: tf.Tensor, present: tf.Tensor) -> tf.Tensor:
        """Args:
        content: [batch, recent, content_dim].
        age_days: [batch, recent].
        present: [batch, recent] 1 where there is an article.

        Returns:
            [batch, content_dim], zeros where there is no article.
        """
        weights = tf.exp(-tf.nn.softplus(self._rate) * age_days) * present
        weights /= tf.maximum(tf.reduce_sum(weights, axis=1, keepdims=True), 1e-6)
        return tf.einsum("br,brc->bc", weights, content)


class QueryTower(tf.keras.Model):
    """ReLU layers over profile, history, activity and the pooled last articles; L2-normalised."""

    def __init__(
        self,
        numeric: NumericPreprocessing,
        categories: CategoryPreprocessing,
        hidden: tuple[int, ...],
        embedding_dim: int,
        dropout: float,
    ) -> None:
        super().__init__(name="query_tower")
        self._numeric = numeric
        self._categories = categories
        self._pooling = RecencyPooling(name="recency_pooling")
        self._hidden = [tf.keras.layers.Dense(units, activation="relu") for units in hidden]
        self._dropout = tf.keras.layers.Dropout(dropout)
        self._out = tf.keras.layers.Dense(embedding_dim - 1)
        self._taste = tf.keras.layers.Dense(embedding_dim - 1, use_bias=False, name="taste")
        # Sure at first, or doubt would keep the other layers from ever being heard.
        self._confidence = tf.keras.layers.Dense(
            1, activation="sigmoid", bias_initializer=tf.keras.initializers.Constant(2.0), name="confidence"
        )

    @property
    def input_widths(self) -> tuple[int, int]:
        """Columns of ``numeric`` and of ``categories``."""
        return len(self._numeric.mean), len(self._categories.sizes)

    def call(
        self,
        numeric: tf.Tensor,
        categories: tf.Tensor,
        recent_content: tf.Tensor,
        recent_age_days: tf.Tensor,
        present: tf.Tensor,
        training: bool = False,
    ) -> tf.Tensor:
        """Args:
        numeric: raw numbers [batch, columns], NaN = missing.
        categories: int32 [batch, categories].
        recent_content: content vectors of the last articles, [batch, recent, content_dim].
        recent_age_days: [batch, recent].
        present: [batch, recent] 1 where there is an article.

        Returns:
            [batch, embedding_dim]
        """
        pooled = self._pooling(recent_content, recent_age_days, present)
        known = tf.reduce_sum(present, axis=1, keepdims=True)
        parts = [
            self._numeric.in_graph(numeric),
            self._categories.in_graph(categories),
            pooled,
            tf.math.log1p(known),
            # A purchase of this very visit tells more than one of last week.
            tf.math.log1p(recent_age_days[:, :1]) * present[:, :1],
            present[:, :1],
        ]
        hidden = tf.concat(parts, axis=1)
        for layer in self._hidden:
            hidden = self._dropout(layer(hidden), training=training)
        # The straight way from the last articles keeps their likeness; the layers add what the profile changes.
        direction = tf.math.l2_normalize(self._out(hidden) + self._taste(pooled), axis=1)
        confidence = LEAST_CONFIDENCE + (1.0 - LEAST_CONFIDENCE) * self._confidence(hidden)
        return tf.concat([confidence * direction, tf.sqrt(tf.maximum(1.0 - confidence**2, 1e-12))], axis=1)
