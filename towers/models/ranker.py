"""The ranker: one packed matrix of candidate features -> the chance that each candidate is bought.

Small ReLU networks on signed-log, clipped inputs, four of them in one graph with their chances averaged: on such rows
this ties gradient-boosted trees, and one matrix in keeps serving under a millisecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import tensorflow as tf
from scipy.optimize import brentq
from scipy.special import expit

from infra.base.progress import progress_bar
from towers.data.preprocessing import NumericPreprocessing
from towers.data.ranking_set import RankingSet

SCORING_BATCH = 65_536
FITTING_ROWS = 100_000
SURE_LOGIT = 20.0
"""Of a chance that nothing tells from 1, and of the other sign from 0."""


@dataclass(frozen=True)
class RankerConfig:
    """Shape and training. More epochs overfit: MAP falls from .184 at 5 to .171 at 20.

    ``list_weight`` is that of the softmax over each customer's candidates beside the binary cross-entropy. On H&M,
    2020-09-19, recall at 100 is .395 with 0, .398 with 1 and with 10, and MAP@12 .180, .181 and .183.
    """

    hidden: tuple[int, ...] = (64, 32)
    members: int = 4
    epochs: int = 6
    batch_size: int = 2_500  # rows, about: a batch is of whole customers
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    list_weight: float = 10.0
    negatives_per_customer: int = 100
    seed: int = 7


class MemberDense(tf.keras.layers.Layer):
    """One dense layer of every member at once: [members, batch, in] -> [members, batch, units]."""

    def __init__(self, members: int, units: int, activation: str | None) -> None:
        super().__init__()
        self._members, self._units = members, units
        self._activation = tf.keras.activations.get(activation)

    def build(self, input_shape: tf.TensorShape) -> None:
        inputs = int(input_shape[-1])
        # Glorot of one member's matrix; the initializer would count the members as a receptive field.
        limit = (6.0 / (inputs + self._units)) ** 0.5
        self._kernel = self.add_weight(
            name="kernel",
            shape=(self._members, inputs, self._units),
            initializer=tf.keras.initializers.RandomUniform(-limit, limit),
        )
        self._bias = self.add_weight(name="bias", shape=(self._members, 1, self._units), initializer="zeros")
        super().build(input_shape)

    def shift(self, by: float) -> None:
        """Add a number to every bias."""
        self._bias.assign_add(tf.fill(self._bias.shape, by))

    def call(self, inputs: tf.Tensor) -> tf.Tensor:
        return self._activation(tf.matmul(inputs, self._kernel) + self._bias)


class Ranker(tf.keras.Model):
    """The ensemble, from raw features to probabilities.

    Attributes:
        epoch_losses: mean binary cross-entropy of each epoch of training, over members.
    """

    def __init__(self, preprocessing: NumericPreprocessing, config: RankerConfig) -> None:
        super().__init__(name="ranker")
        self._preprocessing = preprocessing
        self._layers = [MemberDense(config.members, units, "relu") for units in config.hidden]
        self._layers.append(MemberDense(config.members, 1, None))
        self.epoch_losses: tuple[float, ...] = ()

    def logits(self, features: tf.Tensor) -> tf.Tensor:
        """Raw features [batch, columns] -> each member's logit, [members, batch]."""
        hidden = self._preprocessing.in_graph(features)[None]  # the same for every member
        for layer in self._layers:
            hidden = layer(hidden)
        return hidden[:, :, 0]

    def shift(self, by: float) -> None:
        """Add a number to every logit."""
        self._layers[-1].shift(by)

    def call(self, features: tf.Tensor) -> tf.Tensor:
        """Raw features [batch, columns] -> probability of a purchase, [batch]."""
        return tf.reduce_mean(tf.sigmoid(self.logits(features)), axis=0)


def train_ranker(rows: RankingSet, config: RankerConfig) -> Ranker:
    """Fit the ranker by binary cross-entropy, and by the share of each purchase among its customer's candidates.

    The first makes the score a chance, the second orders what one customer is shown; see to the level by ``calibrate``.

    Only some negatives of each customer are learned from. While training, the logit gets back what that changes, minus
    log(share kept), so that the served probability is that of all candidates (King and Zeng, 2001, prior correction).

    Without rows, where no source proposed anything to anybody, it stays as chance made it.
    """
    tf.keras.utils.set_random_seed(config.seed)
    # Means and deviations of a hundred thousand rows are those of all; scikit-learn's float64 copies are not free.
    model = Ranker(NumericPreprocessing.fit(rows.features[:: 1 + len(rows) // FITTING_ROWS]), config)
    model.logits(tf.constant(rows.features[:1]))
    if not len(rows):
        return model
    case_rows = rows.case_rows[rows.case_rows > 0]
    first_rows = np.concatenate([[0], np.cumsum(case_rows)])
    cases = len(case_rows)
    size = min(max(config.batch_size * cases // len(rows), 1), cases)
    steps = cases // size * config.epochs
    schedule = tf.keras.optimizers.schedules.CosineDecay(config.learning_rate, steps, alpha=0.05)
    optimizer = tf.keras.optimizers.AdamW(schedule, weight_decay=config.weight_decay, jit_compile=False)
    optimizer.build(model.trainable_variables)
    labels, offsets = rows.bought.astype(np.float32), -np.log(rows.kept_share)

    @tf.function(reduce_retracing=True)
    def step(features: tf.Tensor, wanted: tf.Tensor, offset: tf.Tensor, case: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            logits = model.logits(features) + offset
            wanted_by_member = tf.tile(wanted[None], [config.members, 1])
            losses = tf.nn.sigmoid_cross_entropy_with_logits(wanted_by_member, logits)
            surprises = -wanted * log_shares(logits, case, size)
            # Summed over members: each learns as if it were alone.
            loss = tf.reduce_sum(tf.reduce_mean(losses + config.list_weight * surprises, axis=1))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return tf.reduce_mean(losses)

    rng = np.random.default_rng(config.seed)
    with progress_bar(f"ranker, {len(rows):,} candidates x {config.epochs}", steps) as advance:
        for _ in range(config.epochs):
            order = rng.permutation(cases)
            losses = []
            for start in range(0, cases - size + 1, size):
                chosen = order[start : start + size]
                batch = np.concatenate([np.arange(first_rows[case], first_rows[case + 1]) for case in chosen])
                case = np.repeat(np.arange(size, dtype=np.int32), case_rows[chosen])
                values = (rows.features[batch], labels[batch], offsets[batch], case)
                losses.append(step(*map(tf.constant, values)))
                advance(1)
            model.epoch_losses = (*model.epoch_losses, float(np.mean(losses)))
    return model


def log_shares(logits: tf.Tensor, case: tf.Tensor, cases: int) -> tf.Tensor:
    """log softmax of logits [members, rows] over the rows of each case, [members, rows]."""
    by_row = tf.transpose(logits)
    off = by_row - tf.gather(tf.math.unsorted_segment_max(by_row, case, cases), case)
    sums = tf.math.unsorted_segment_sum(tf.exp(off), case, cases)
    return tf.transpose(off - tf.gather(tf.math.log(sums), case))


def calibrate(model: Ranker, rows: RankingSet, chosen: npt.NDArray[np.bool_]) -> float:
    """Shift all logits so that over the chosen rows [rows] as many purchases are expected as there were.

    A row that was kept for many stands for all of them. The order of candidates stays.

    Returns:
        What was added; 0 where nothing chosen was bought, or everything.
    """
    bought = rows.bought[chosen]
    if not bought.any() or bought.all():
        return 0.0
    features = rows.features[chosen]
    batches = range(0, len(features), SCORING_BATCH)
    logits = np.concatenate([model.logits(features[s : s + SCORING_BATCH]).numpy() for s in batches], axis=1)
    stands_for = np.where(bought, 1.0, 1.0 / rows.kept_share[chosen])

    def surplus(by: float) -> float:
        return float((stands_for * expit(logits + by).mean(axis=0)).sum() - bought.sum())

    shift = float(brentq(surplus, -SURE_LOGIT - logits.max(), SURE_LOGIT - logits.min()))
    model.shift(shift)
    return shift


class ServedRanker(tf.Module):
    """The ranker as TensorFlow Serving hosts it; offline scoring goes through the same function."""

    def __init__(self, model: Ranker, columns: int) -> None:
        super().__init__()
        self._model = model
        specification = tf.TensorSpec([None, columns], tf.float32, name="features")
        self.serve = tf.function(self._serve, input_signature=[specification])

    @property
    def epoch_losses(self) -> Sequence[float]:
        """How training went, see ``Ranker``."""
        return self._model.epoch_losses

    def _serve(self, features: tf.Tensor) -> dict[str, tf.Tensor]:
        return {"score": self._model(features)}

    def scores(self, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probabilities of any number of rows, [rows]."""
        parts = [
            self.serve(tf.constant(features[start : start + SCORING_BATCH]))["score"].numpy()
            for start in range(0, len(features), SCORING_BATCH)
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.float32)
