"""Fits the two-stage model to a training set, fast: packed arrays, one gather a batch, no per-row Python."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from infra.base.progress import progress_bar
from serving.ranking.query_features import QueryInputs
from serving.retrieval.customer import RECENT_PURCHASES
from towers.data.preprocessing import CategoryPreprocessing, NumericPreprocessing
from towers.data.snapshot import Snapshot
from towers.data.training_set import TrainingSet
from towers.models.article_encoder import ArticleContent
from towers.models.two_stage import TwoStageConfig, TwoStageModel
from towers.training.candidate_features import candidate_numeric, popularity_prior

ENCODING_BATCH = 8_192
_QUERY_INPUTS = ("numeric", "categories", "recent", "recent_age_days")


@dataclass(frozen=True)
class TowerTraining:
    """How the towers are trained.

    Two epochs are enough for a large log: recall@100 of new products falls after that. A small log needs more, or the
    towers hardly start to learn: with 40 steps they are as good as popularity, with 300 half as good again, with 600
    recall rises once more.
    """

    epochs: int = 2
    least_steps: int = 600
    most_epochs: int = 12
    batch_size: int = 1_024
    seed: int = 7

    def epochs_for(self, pairs: int) -> int:
        """How often to go through a training set of this size."""
        steps = max(pairs // self.batch_size, 1)
        return max(self.epochs, min(-(-self.least_steps // steps), self.most_epochs))


def train_towers(
    pairs: TrainingSet,
    snapshots: Sequence[Snapshot],
    content: ArticleContent,
    query_category_sizes: Sequence[int],
    config: TwoStageConfig,
    training: TowerTraining,
    title: str = "two towers",
) -> TwoStageModel:
    """Train both towers and the ranking head.

    Args:
        pairs: from ``make_training_set`` over the same snapshots.
        snapshots: the training days, for the articles' numbers and popularity on each.
        content: of all articles.
        query_category_sizes: vocabulary sizes of the query tower's categories.
        title: of the progress bar.

    Without pairs, where nobody bought a product that was new to them, the towers stay as chance made them.
    """
    tf.keras.utils.set_random_seed(training.seed)
    day_numeric = np.stack([candidate_numeric(snapshot.articles) for snapshot in snapshots])
    seen = day_numeric[pairs.day, pairs.article]
    model = TwoStageModel(
        config,
        content,
        NumericPreprocessing.fit(pairs.numeric),
        CategoryPreprocessing.fit(query_category_sizes),
        # Fitted on what was bought, for there the numbers must tell articles apart.
        NumericPreprocessing.fit(seen),
        day_numeric,
        np.stack([popularity_prior(snapshot.articles) for snapshot in snapshots]),
    )
    if not len(pairs):
        return model
    epochs, size = training.epochs_for(len(pairs)), min(training.batch_size, len(pairs))
    steps = len(pairs) // size * epochs
    schedule = tf.keras.optimizers.schedules.CosineDecay(config.learning_rate, steps, alpha=0.05)
    model.compile(optimizer=tf.keras.optimizers.Adam(schedule, jit_compile=False))
    gather = gatherer(pairs)

    # By model.fit over a tf.data pipeline a step takes a third longer.
    @tf.function(input_signature=[tf.TensorSpec([size], tf.int64)])
    def step(rows: tf.Tensor) -> tf.Tensor:
        return model.train_step(gather(rows))["loss"]

    rng = np.random.default_rng(training.seed)
    with progress_bar(f"{title}, {len(pairs):,} pairs x {epochs}", steps) as advance:
        for _ in range(epochs):
            losses = []
            for rows in rows_by_day(pairs.day, size, rng):
                losses.append(step(tf.constant(rows)))
                advance(1)
            model.epoch_losses = (*model.epoch_losses, float(np.mean(losses)))
    return model


def gatherer(pairs: TrainingSet) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """From rows [m] to the model's inputs, inside the graph: one gather per array."""
    numeric, categories = tf.constant(pairs.numeric), tf.constant(pairs.categories)
    query, recent, ages = tf.constant(pairs.query), tf.constant(pairs.recent), tf.constant(pairs.recent_age_days)
    article, day = tf.constant(pairs.article), tf.constant(pairs.day)

    def gather(rows: tf.Tensor) -> dict[str, tf.Tensor]:
        queries = tf.gather(query, rows)
        return {
            "numeric": tf.gather(numeric, queries),
            "categories": tf.gather(categories, queries),
            "recent": tf.gather(recent, rows),
            "recent_age_days": tf.cast(tf.gather(ages, rows), tf.float32),
            "article": tf.gather(article, rows),
            "day": tf.gather(day, rows),
        }

    return gather


def rows_by_day(day: npt.NDArray[np.int32], size: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """An epoch's batches, [batches, size] rows in random order: each of one day, or of two where one ends.

    The targets of a batch are each other's negatives. Of one day, they differ in who buys them. Of many days, they
    differ in what was sold when, and the towers learn to tell the date: recall@100 of new products on H&M, 2020-09-19,
    is .158 then, and .170 by day.

    Args:
        day: of every row, [rows].
        size: at most as many as there are rows; what does not fill a batch is left out, other rows in each epoch.
    """
    order = np.lexsort((rng.random(len(day)), day))
    count = len(order) // size
    start = rng.integers(len(order) - count * size + 1)
    rows: npt.NDArray[np.int64] = order[start : start + count * size].reshape(count, size)
    return rng.permutation(rows)


def content_vectors(model: TwoStageModel) -> npt.NDArray[np.float32]:
    """Content vectors of all articles, [n, content_dim]."""
    encode = tf.function(model.encode_articles, input_signature=[tf.TensorSpec([None], tf.int32)])
    positions = np.arange(model.articles, dtype=np.int32)
    parts = [encode(positions[start : start + ENCODING_BATCH]) for start in range(0, len(positions), ENCODING_BATCH)]
    return np.concatenate([part.numpy() for part in parts])


def item_vectors(
    model: TwoStageModel, content: npt.NDArray[np.float32], numeric: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Candidate embeddings of all articles as of a day, [n, embedding_dim].

    Args:
        content: from ``content_vectors``.
        numeric: from ``candidate_numeric``, of that day.
    """
    parts = [
        model.embed_articles(content[start : start + ENCODING_BATCH], numeric[start : start + ENCODING_BATCH])
        for start in range(0, len(content), ENCODING_BATCH)
    ]
    return np.concatenate([part.numpy() for part in parts])


class ServedQueryTower(tf.Module):
    """The query tower with the content vectors of the release inside, so that it takes positions of articles."""

    def __init__(self, model: TwoStageModel, content: npt.NDArray[np.float32]) -> None:
        super().__init__()
        self._tower = model.query_tower
        # The row behind the last article stands for "none".
        self._content = tf.Variable(np.vstack([content, np.zeros_like(content[:1])]), trainable=False)
        self.embedding_dim = model.config.embedding_dim
        self.input_widths = numeric, categories = model.query_tower.input_widths
        self.serve = tf.function(
            self._serve,
            input_signature=[
                tf.TensorSpec([None, numeric], tf.float32, name="numeric"),
                tf.TensorSpec([None, categories], tf.int32, name="categories"),
                tf.TensorSpec([None, RECENT_PURCHASES], tf.int32, name="recent"),
                tf.TensorSpec([None, RECENT_PURCHASES], tf.float32, name="recent_age_days"),
            ],
        )

    def embeddings(self, inputs: QueryInputs) -> npt.NDArray[np.float32]:
        """Query embeddings of any number of customers, [customers, embedding_dim]."""
        tensors = inputs.tensors()
        parts = []
        for start in range(0, len(inputs.numeric), ENCODING_BATCH):
            part = [tf.constant(tensors[name][start : start + ENCODING_BATCH]) for name in _QUERY_INPUTS]
            parts.append(self.serve(*part)["query_embedding"].numpy())
        return np.concatenate(parts) if parts else np.empty((0, self.embedding_dim), np.float32)

    def _serve(
        self, numeric: tf.Tensor, categories: tf.Tensor, recent: tf.Tensor, recent_age_days: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        none = tf.shape(self._content)[0] - 1
        known = (recent >= 0) & (recent < none)
        vectors = tf.gather(self._content, tf.where(known, recent, none))
        embedding = self._tower(numeric, categories, vectors, recent_age_days, tf.cast(known, tf.float32))
        return {"query_embedding": embedding}
