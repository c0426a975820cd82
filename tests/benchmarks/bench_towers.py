"""Two-tower training: examples a second of Vitrine's pipeline and of a TFRS tutorial's, side by side on the same pairs.

The tutorial's way: one dictionary of features an example, strings looked up in ``tf.data``, one input and one embedding
or normalisation layer a feature, then batches. Vitrine's: positions in packed arrays, one gather an array and batch.
Both see the same pairs, article words, pictures and last purchases, in batches of the same size and towers of the same
widths; Vitrine's does more a step (content of the last purchases, mixed negatives, popularity prior, a ranking head).
What building and tracing takes is left out: of two trainings that differ in epochs only the difference counts.
"""

from __future__ import annotations

import time
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
import tensorflow_recommenders as tfrs

from feature_repo.store import open_store
from infra.base.figures import Figure, write_figures
from infra.base.settings import Settings
from infra.demo.preparation import prepare, synthetic_shop
from serving.ranking.query_features import QUERY_CATEGORIES, QUERY_NUMERIC
from serving.retrieval.articles import CATEGORIES
from towers.data.training_data import TrainingData, open_training_data
from towers.data.training_set import TrainingSet, make_training_set
from towers.models.article_encoder import EncoderSize
from towers.models.two_stage import TwoStageConfig
from towers.training.candidate_features import candidate_numeric
from towers.training.tower_trainer import TowerTraining, train_towers

DAYS = 10
CONFIG = TwoStageConfig()
SIZE = EncoderSize()
BATCH = TowerTraining().batch_size
EPOCHS = 5


def test_tower_training(tmp_path: Path) -> None:
    settings = Settings(var_dir=tmp_path / "var")
    prepared = prepare(settings, synthetic_shop(settings))
    data = open_(settings, prepared.as_of)
    days = [*data.past, data.report]
    pairs = make_training_set(days, data.vocabularies, np.random.default_rng(1))

    ours = seconds_of_ours(pairs, days, data, 1 + EPOCHS) - seconds_of_ours(pairs, days, data, 1)
    ours_rate = EPOCHS * (len(pairs) // BATCH) * BATCH / ours
    tutorial_rate = EPOCHS * len(pairs) / seconds_of_tutorial(pairs, data)
    print(
        f"\n{len(pairs):,} pairs, batches of {BATCH}: Vitrine {ours_rate:,.0f} examples/s, "
        f"TFRS tutorial {tutorial_rate:,.0f}, {ours_rate / tutorial_rate:.1f} times"
    )
    figures = {"tower_examples_per_s": Figure(ours_rate, "1/s", "TFRS tutorial pipeline", tutorial_rate)}
    print(write_figures(Settings.from_environment().reports_dir, "towers", figures))


def open_(settings: Settings, as_of: date) -> TrainingData:
    return open_training_data(
        settings.tables_dir, open_store(settings), as_of, DAYS, customers_per_day=20_000, test_customers=1, seed=7
    )


def seconds_of_ours(pairs: TrainingSet, days: Any, data: TrainingData, epochs: int) -> float:
    sizes = [len(data.vocabularies[name]) for name in QUERY_CATEGORIES]
    training = TowerTraining(epochs=epochs, least_steps=0)
    started = time.perf_counter()
    train_towers(pairs, days, data.catalogue.content, sizes, CONFIG, training)
    return time.perf_counter() - started


def seconds_of_tutorial(pairs: TrainingSet, data: TrainingData) -> float:
    """Seconds of all epochs but the first."""
    examples, vocabularies = tutorial_examples(pairs, data)
    numeric = [name for name in examples if name.startswith(("query:", "article:"))]
    lookups = {name: tf.keras.layers.StringLookup(vocabulary=list(v)) for name, v in vocabularies.items()}

    def look_up(example: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        return {name: lookups[name](value) if name in lookups else value for name, value in example.items()}

    dataset = tf.data.Dataset.from_tensor_slices(examples).map(look_up).shuffle(100_000).batch(BATCH)
    model = TutorialModel(examples, numeric, vocabularies)
    model.compile(optimizer=tf.keras.optimizers.Adam(CONFIG.learning_rate))
    epochs: list[float] = []

    class Clock(tf.keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: object = None) -> None:
            epochs.append(-time.perf_counter())

        def on_epoch_end(self, epoch: int, logs: object = None) -> None:
            epochs[-1] += time.perf_counter()

    model.fit(dataset, epochs=1 + EPOCHS, verbose=0, callbacks=[Clock()])
    return sum(epochs[1:])


def tutorial_examples(pairs: TrainingSet, data: TrainingData) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """Feature name -> values [pairs, ...] as a tutorial would write them out, and the vocabularies of the strings."""
    table, content = data.catalogue.table, data.catalogue.content
    ids = np.array([*table.ids, ""])
    words = np.char.add("w", content.terms.astype(np.str_))
    days = [*data.past, data.report]
    article_numbers = np.stack([candidate_numeric(day.articles) for day in days])[pairs.day, pairs.article]
    values = {name: np.array(table.vocabularies[name]) for name in CATEGORIES}
    examples: dict[str, np.ndarray] = {"article_id": ids[pairs.article], "recent": ids[pairs.recent]}
    for column, name in enumerate(CATEGORIES):
        examples[name] = values[name][content.categories[pairs.article, column]]
    for column, name in enumerate(QUERY_CATEGORIES):
        examples[name] = np.array(list(data.vocabularies[name]))[pairs.categories[pairs.query, column]]
    for column, name in enumerate(QUERY_NUMERIC):
        examples[f"query:{name}"] = np.nan_to_num(pairs.numeric[pairs.query, column])
    for column in range(article_numbers.shape[1]):
        examples[f"article:{column}"] = np.nan_to_num(article_numbers[:, column])
    examples["words"] = words[pairs.article]
    examples["image"] = content.images[pairs.article].astype(np.float32)
    vocabularies = {name: [v for v in values[name] if v] for name in CATEGORIES}
    vocabularies |= {name: [v for v in data.vocabularies[name] if v] for name in QUERY_CATEGORIES}
    vocabularies |= {"article_id": list(table.ids), "recent": list(table.ids), "words": sorted(set(words.ravel()))}
    return examples, vocabularies


class TutorialModel(tfrs.Model):
    """Two towers as TFRS' tutorials build them: a layer a feature, concatenated, dense layers, retrieval task."""

    def __init__(self, examples: dict[str, np.ndarray], numeric: list[str], vocabularies: dict[str, list[str]]) -> None:
        super().__init__()
        self._scales = {}
        for name in numeric:
            self._scales[name] = tf.keras.layers.Normalization(axis=None)
            self._scales[name].adapt(examples[name])
        dims = {"article_id": SIZE.content_dim, "recent": SIZE.content_dim, "words": SIZE.term_dim}
        self._embeddings = {
            name: tf.keras.layers.Embedding(len(vocabulary) + 1, dims.get(name, SIZE.category_dim))
            for name, vocabulary in vocabularies.items()
        }
        self._image = tf.keras.layers.Dense(SIZE.image_dim, activation="relu")
        self._towers = {
            side: tf.keras.Sequential(
                [
                    *(tf.keras.layers.Dense(units, "relu") for units in hidden),
                    tf.keras.layers.Dense(CONFIG.embedding_dim),
                ]
            )
            for side, hidden in (("query", CONFIG.query_hidden), ("article", CONFIG.candidate_hidden))
        }
        self._task = tfrs.tasks.Retrieval()

    def compute_loss(self, features: dict[str, tf.Tensor], training: bool = False) -> tf.Tensor:
        def numbers(side: str) -> list[tf.Tensor]:
            return [scale(features[n])[:, None] for n, scale in self._scales.items() if n.startswith(side)]

        def embedded(names: tuple[str, ...]) -> list[tf.Tensor]:
            return [self._embeddings[name](features[name]) for name in names]

        recent, words = (tf.reduce_mean(vectors, axis=1) for vectors in embedded(("recent", "words")))
        query = [*numbers("query:"), *embedded(QUERY_CATEGORIES), recent]
        article = [*numbers("article:"), *embedded(("article_id", *CATEGORIES)), words, self._image(features["image"])]
        return self._task(
            self._towers["query"](tf.concat(query, axis=1)),
            self._towers["article"](tf.concat(article, axis=1)),
            compute_metrics=not training,
        )
