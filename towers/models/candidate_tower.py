"""The candidate tower: an article's content and its sales so far -> a unit vector."""

from __future__ import annotations

import tensorflow as tf

from towers.data.preprocessing import NumericPreprocessing
from towers.models.article_encoder import ArticleEncoder


class CandidateTower(tf.keras.Model):
    """ReLU layers over the content vector and the article's numbers; L2-normalised."""

    def __init__(
        self,
        encoder: ArticleEncoder,
        numeric: NumericPreprocessing,
        hidden: tuple[int, ...],
        embedding_dim: int,
        dropout: float,
    ) -> None:
        super().__init__(name="candidate_tower")
        self._encoder = encoder
        self._numeric = numeric
        self._hidden = [tf.keras.layers.Dense(units, activation="relu") for units in hidden]
        self._dropout = tf.keras.layers.Dropout(dropout)
        self._out = tf.keras.layers.Dense(embedding_dim - 1)

    @property
    def input_widths(self) -> tuple[int, int]:
        """Columns of ``numeric`` and of ``categories``."""
        return len(self._numeric.mean), self._encoder.categories

    def from_content(self, content: tf.Tensor, numeric: tf.Tensor, training: bool = False) -> tf.Tensor:
        """[m, content_dim] and raw numbers [m, columns] -> [m, embedding_dim]."""
        hidden = tf.concat([content, self._numeric.in_graph(numeric)], axis=1)
        for layer in self._hidden:
            hidden = self._dropout(layer(hidden), training=training)
        direction = tf.math.l2_normalize(self._out(hidden), axis=1)
        # The last dimension is where queries put what they are unsure of: see the query tower.
        return tf.concat([direction, tf.zeros_like(direction[:, :1])], axis=1)

    def call(self, inputs: dict[str, tf.Tensor]) -> tf.Tensor:
        """Inputs by the names of the served signature: numeric, categories, image, terms."""
        content = self._encoder(inputs["categories"], inputs["image"], inputs["terms"])
        return self.from_content(content, inputs["numeric"])
