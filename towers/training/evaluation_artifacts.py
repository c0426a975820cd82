"""What a later evaluation of a release needs beside it, in ``var/measured/<N>``.

A release is fitted on the day that it was measured on, too. ``test/`` holds the models that had not seen that day: a
bundle like any release, as of the report day's morning. ``test_peers/`` and ``release_peers/`` hold what only an
evaluation needs of that fit and of the release's own: the two-stage model's head and the ranker's training rows.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from infra.base.settings import Settings
from serving.release.writer import write_release
from towers.data.ranking_set import RankingSet
from towers.data.snapshot import Snapshot
from towers.data.targets import Targets
from towers.data.training_data import TrainingData
from towers.evaluation.peers.contenders import HeadScorer
from towers.training.bundle import release_content
from towers.training.fitted_towers import TowerPart
from towers.training.fitting import Fitted

_HEAD, _ROWS = "head", "ranking_rows"
_ROW_FILES = tuple(field.name for field in fields(RankingSet))


@dataclass(frozen=True)
class EvaluationArtifacts:
    """The folders of one release."""

    test: Path
    test_peers: Path
    release_peers: Path

    @classmethod
    def of(cls, settings: Settings, release: int) -> EvaluationArtifacts:
        """Where they are or would be."""
        folder = settings.var_dir / "measured" / str(release)
        return cls(folder / "test", folder / "test_peers", folder / "release_peers")


def write_test_fit(settings: Settings, release: int, data: TrainingData, fitted: Fitted) -> None:
    """Write the fit that was measured; what was there of the same number makes room."""
    measured = EvaluationArtifacts.of(settings, release)
    shutil.rmtree(measured.test.parent, ignore_errors=True)
    day = Snapshot(data.report.day, data.report.articles, [], Targets.from_lists([]))
    content = release_content(release, data, fitted, day, settings.images_dir, {}, {})
    write_release(measured.test.parent, content).rename(measured.test)
    write_peers(measured.test_peers, fitted)


def write_peers(folder: Path, fitted: Fitted) -> None:
    """Write the two-stage model's head and the ranker's training rows."""
    tf.saved_model.save(_ServedHead(fitted.towers), str(folder / _HEAD))
    (folder / _ROWS).mkdir(parents=True)
    for name in _ROW_FILES:
        np.save(folder / _ROWS / f"{name}.npy", getattr(fitted.rows, name))


def read_head(folder: Path) -> HeadScorer | None:
    """The two-stage model's head; None where none was kept."""
    if not (folder / _HEAD).is_dir():
        return None
    loaded = tf.saved_model.load(str(folder / _HEAD))

    def scores(query: npt.NDArray, candidate: npt.NDArray, score: npt.NDArray) -> npt.NDArray:
        logits: npt.NDArray[np.float32] = loaded.serve(query, candidate, score).numpy()
        return logits

    return scores


def read_rows(folder: Path) -> RankingSet | None:
    """The ranker's training rows, left on disk until they are read; None where none were kept."""
    if not (folder / _ROWS).is_dir():
        return None
    return RankingSet(**{name: np.load(folder / _ROWS / f"{name}.npy", mmap_mode="r") for name in _ROW_FILES})


class _ServedHead(tf.Module):
    def __init__(self, towers: TowerPart) -> None:
        super().__init__()
        self._head = towers.model.head
        dim = towers.model.config.embedding_dim
        self.serve: Any = tf.function(
            self._serve,
            input_signature=[
                tf.TensorSpec([None, dim], tf.float32),
                tf.TensorSpec([None, dim], tf.float32),
                tf.TensorSpec([None], tf.float32),
            ],
        )

    def _serve(self, query: tf.Tensor, candidate: tf.Tensor, score: tf.Tensor) -> tf.Tensor:
        return self._head(query, candidate, score)
