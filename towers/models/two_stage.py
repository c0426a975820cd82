"""The two-stage model: retrieval and ranking trained together on shared towers, with TensorFlow Recommenders.

The retrieval task is a softmax over the candidates of a batch: targets of others, which follow popularity, and uniform
draws, so that unsold articles are negatives, too (Yang et al., Mixed Negative Sampling, 2020). The ranking task is
binary cross-entropy of a small head over the combined embeddings. Both losses are weighted in one.

The score the towers are trained for is the one that retrieval uses: query . candidate / temperature + the fresh
popularity prior. So the towers learn what popularity does not explain.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import tensorflow as tf
import tensorflow_recommenders as tfrs

from towers.data.preprocessing import CategoryPreprocessing, NumericPreprocessing
from towers.models.article_encoder import ArticleContent, ArticleEncoder, EncoderSize
from towers.models.candidate_tower import CandidateTower
from towers.models.query_tower import QueryTower


@dataclass(frozen=True)
class TwoStageConfig:
    """Everything that shapes the model; what mattered is in the comments."""

    embedding_dim: int = 64
    query_hidden: tuple[int, ...] = (128,)
    candidate_hidden: tuple[int, ...] = (128,)
    encoder: EncoderSize = field(default_factory=EncoderSize)
    dropout: float = 0.2
    initial_temperature: float = 0.1
    # The biggest lever: without the prior, recall@100 of new products falls by half. Of new products, customers with
    # history are found best at 1 (.153), those without at 2 (.118 against .112).
    prior_weight: float = 1.0
    uniform_negatives: int = 256
    head_hidden: int = 32
    head_negatives: int = 4
    retrieval_weight: float = 1.0
    ranking_weight: float = 0.2
    learning_rate: float = 2e-3


class RankingHead(tf.keras.layers.Layer):
    """The chance, as a logit, that a customer buys an article: the retrieval score, corrected by both embeddings."""

    def __init__(self, hidden: int) -> None:
        super().__init__(name="ranking_head")
        self._hidden = tf.keras.layers.Dense(hidden, activation="relu")
        # Starts as the retrieval score alone: corrections have to earn their place.
        self._out = tf.keras.layers.Dense(1, kernel_initializer="zeros")
        self._weight = self.add_weight(name="score_weight", shape=(), initializer="ones")

    def call(self, query: tf.Tensor, candidate: tf.Tensor, score: tf.Tensor) -> tf.Tensor:
        """Embeddings [m, dim] and retrieval scores [m] -> logits [m]."""
        combined = tf.concat([query, candidate, query * candidate], axis=1)
        return self._weight * score + self._out(self._hidden(combined))[:, 0]


class TwoStageModel(tfrs.Model):
    """Two towers and a ranking head on the articles of one release.

    Attributes:
        epoch_losses: mean loss of each epoch of training.
    """

    def __init__(
        self,
        config: TwoStageConfig,
        content: ArticleContent,
        query_numeric: NumericPreprocessing,
        query_categories: CategoryPreprocessing,
        candidate_numeric: NumericPreprocessing,
        day_numeric: npt.NDArray[np.float32],
        day_prior: npt.NDArray[np.float32],
    ) -> None:
        """Args:
        day_numeric: raw numbers of the articles on every training day, [days, n, columns].
        day_prior: log(units of the last 3 days + .3) of the articles on every training day, [days, n].
        """
        super().__init__()
        self.config = config
        self.epoch_losses: tuple[float, ...] = ()
        self.articles = len(content)
        self.encoder = ArticleEncoder(content.category_sizes, config.encoder)
        self.query_tower = QueryTower(
            query_numeric, query_categories, config.query_hidden, config.embedding_dim, config.dropout
        )
        self.candidate_tower = CandidateTower(
            self.encoder, candidate_numeric, config.candidate_hidden, config.embedding_dim, config.dropout
        )
        self.head = RankingHead(config.head_hidden)
        self.log_temperature = self.add_weight(
            name="log_temperature",
            shape=(),
            initializer=tf.keras.initializers.Constant(np.log(config.initial_temperature)),
        )
        self._content = (
            tf.constant(content.categories),
            tf.constant(content.images),
            tf.constant(content.terms),
        )
        self._day_numeric, self._day_prior = tf.constant(day_numeric), tf.constant(day_prior)
        self.retrieval_task = tfrs.tasks.Retrieval(
            loss=tf.keras.losses.CategoricalCrossentropy(
                from_logits=True, reduction=tf.keras.losses.Reduction.SUM_OVER_BATCH_SIZE
            ),
            remove_accidental_hits=True,
        )
        self.ranking_task = tfrs.tasks.Ranking(loss=tf.keras.losses.BinaryCrossentropy(from_logits=True))

    @property
    def images(self) -> npt.NDArray[np.float16]:
        """The picture embeddings that the towers see, [n, IMAGE_DIM]."""
        images: npt.NDArray[np.float16] = self._content[1].numpy()
        return images

    @property
    def temperature(self) -> tf.Tensor:
        """The softmax's temperature, learned, kept where gradients live."""
        return tf.exp(tf.clip_by_value(self.log_temperature, np.log(0.02), np.log(1.0)))

    def encode_articles(self, positions: tf.Tensor) -> tf.Tensor:
        """Content vectors of articles, [m] -> [m, content_dim]."""
        categories, images, terms = (tf.gather(part, positions) for part in self._content)
        return self.encoder(categories, tf.cast(images, tf.float32), terms)

    @tf.function(reduce_retracing=True)
    def embed_articles(self, content: tf.Tensor, numeric: tf.Tensor) -> tf.Tensor:
        """Content vectors [m, content_dim] and a day's raw numbers [m, columns] -> [m, embedding_dim]."""
        return self.candidate_tower.from_content(content, numeric)

    def compute_loss(self, inputs: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        """Args:
        inputs: a batch of training pairs: numeric, categories, recent, recent_age_days as served; ``article`` [batch]
            the target's position, ``day`` [batch] its index among the training days.
        """
        targets, day = inputs["article"], inputs["day"]
        uniform = tf.random.uniform((self.config.uniform_negatives,), 0, self.articles, tf.int32)
        # Every article of the batch is encoded once, however often it occurs.
        recent = tf.reshape(inputs["recent"], [-1])
        distinct, index = tf.unique(tf.concat([targets, uniform, tf.maximum(recent, 0)], axis=0))
        content = self.encode_articles(distinct)
        batch, uniforms = tf.shape(targets)[0], self.config.uniform_negatives
        of_candidates, of_recent = index[: batch + uniforms], index[batch + uniforms :]
        recent_content = tf.gather(content, tf.reshape(of_recent, [batch, -1]))
        query = self.query_tower(
            inputs["numeric"],
            inputs["categories"],
            recent_content,
            inputs["recent_age_days"],
            tf.cast(inputs["recent"] >= 0, tf.float32),
            training=training,
        )
        candidates = tf.concat([targets, uniform], axis=0)
        candidate_day = tf.concat([day, tf.repeat(day[:1], uniforms)], axis=0)
        where = tf.stack([candidate_day, candidates], axis=1)
        candidate = self.candidate_tower.from_content(
            tf.gather(content, of_candidates), tf.gather_nd(self._day_numeric, where), training=training
        )
        prior = tf.gather_nd(self._day_prior, where)
        retrieval = self._retrieval_loss(query, candidate, candidates)
        ranking = self._ranking_loss(query, candidate, candidates, prior, batch)
        return self.config.retrieval_weight * retrieval + self.config.ranking_weight * ranking

    def _retrieval_loss(self, query: tf.Tensor, candidate: tf.Tensor, candidates: tf.Tensor) -> tf.Tensor:
        # Without the popularity prior, and without correction for what is drawn more often (log Q): that negatives are
        # drawn by popularity stands in for the prior, both drop out together.
        return self.retrieval_task(
            query / self.temperature,
            candidate,
            candidate_ids=candidates,
            compute_metrics=False,
            compute_batch_metrics=False,
        )

    def _ranking_loss(
        self, query: tf.Tensor, candidate: tf.Tensor, candidates: tf.Tensor, prior: tf.Tensor, batch: tf.Tensor
    ) -> tf.Tensor:
        copies = self.config.head_negatives + 1
        rows = tf.tile(tf.range(batch), [copies])
        others = tf.random.uniform((batch * (copies - 1),), 0, tf.shape(candidates)[0], tf.int32)
        chosen = tf.concat([tf.range(batch), others], axis=0)
        pair_query, pair_candidate = tf.gather(query, rows), tf.gather(candidate, chosen)
        score = tf.reduce_sum(pair_query * pair_candidate, axis=1) / self.temperature
        score += self.config.prior_weight * tf.gather(prior, chosen)
        labels = tf.gather(candidates, rows) == tf.gather(candidates, chosen)
        logits = self.head(pair_query, pair_candidate, score)
        return self.ranking_task(
            labels=tf.cast(labels, tf.float32)[:, None], predictions=logits[:, None], compute_metrics=False
        )
