"""The ranker learns, and its score is a probability although it saw few of the negatives."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from towers.negatives import sample_negatives
from towers.ranker import RankerConfig, ServedRanker, calibrate, log_shares, train_ranker
from towers.ranking_set import RankingSet

Sampled = tuple[RankingSet, np.ndarray, np.ndarray, np.ndarray]


def sampled(rows_in_all: int, intercept: float) -> Sampled:
    """Training rows thinned out, and of all candidates: features, chance, labels."""
    rng = np.random.default_rng(1)
    features = rng.normal(size=(rows_in_all, 3)).astype(np.float32)
    chance = 1 / (1 + np.exp(-(1.5 * features[:, 0] + intercept)))
    labels = rng.random(rows_in_all) < chance
    parts = []
    for start in range(0, rows_in_all, 400):
        rows, share = sample_negatives(labels[start : start + 400], 60, rng)
        parts.append((start + rows, np.full(len(rows), share, np.float32)))
    kept = np.concatenate([rows for rows, _ in parts])
    case_rows = np.array([len(rows) for rows, _ in parts], np.int32)
    training = RankingSet(features[kept], labels[kept], np.concatenate([share for _, share in parts]), case_rows)
    return training, features, chance, labels


def test_scores_are_calibrated_to_all_candidates_not_to_those_that_were_sampled() -> None:
    training, features, chance, labels = sampled(40_000, -3.5)
    model = train_ranker(training, RankerConfig(epochs=30, batch_size=512, list_weight=0.0))
    scores = ServedRanker(model, 3).scores(features)
    assert abs(scores.mean() / labels.mean() - 1) < 0.15
    assert np.corrcoef(scores, chance)[0, 1] > 0.97
    top = scores > np.quantile(scores, 0.9)
    assert abs(scores[top].mean() / labels[top].mean() - 1) < 0.15


def test_the_list_loss_leaves_rare_chances_roughly_right_once_their_level_is_set() -> None:
    training, features, chance, labels = sampled(80_000, -5.0)
    model = train_ranker(training, RankerConfig(epochs=10, batch_size=512))
    calibrate(model, training, np.ones(len(training), np.bool_))
    losses = ServedRanker(model, 3).epoch_losses
    assert len(losses) == 10
    assert losses[-1] < losses[0]
    scores = ServedRanker(model, 3).scores(features)
    assert abs(scores.mean() / labels.mean() - 1) < 0.15
    assert np.corrcoef(scores, chance)[0, 1] > 0.9
    top = scores > np.quantile(scores, 0.9)
    assert abs(scores[top].mean() / labels[top].mean() - 1) < 0.25


def test_the_best_of_each_list_comes_first() -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(300, 20, 2)).astype(np.float32)
    bought = np.zeros((300, 20), np.bool_)
    bought[np.arange(300), features[:, :, 0].argmax(axis=1)] = True
    rows = RankingSet(features.reshape(-1, 2), bought.ravel(), np.ones(6_000, np.float32), np.full(300, 20, np.int32))
    scores = ServedRanker(train_ranker(rows, RankerConfig(epochs=40, batch_size=400)), 2).scores(rows.features)
    assert (scores.reshape(300, 20).argmax(axis=1) == features[:, :, 0].argmax(axis=1)).mean() > 0.9


def test_shares_are_those_among_the_candidates_of_one_customer() -> None:
    logits = np.array([[1.0, 2.0, 50.0, -3.0, 0.0]], np.float32)
    shares = np.exp(log_shares(tf.constant(logits), tf.constant([0, 0, 1, 1, 0]), 2).numpy())
    first = np.exp([1.0, 2.0, 0.0]) / np.exp([1.0, 2.0, 0.0]).sum()
    np.testing.assert_allclose(shares[0], [first[0], first[1], 1.0, 0.0, first[2]], atol=1e-6)


def test_a_shifted_ranker_expects_as_many_purchases_of_the_chosen_as_there_were() -> None:
    rng = np.random.default_rng(2)
    features = rng.normal(size=(4_000, 3)).astype(np.float32)
    chosen = features[:, 2] > 0
    bought = rng.random(4_000) < np.where(chosen, 0.3, 0.05)
    kept_share = np.where(bought, 1.0, 0.5).astype(np.float32)
    rows = RankingSet(features, bought, kept_share, np.array([4_000], np.int32))
    model = train_ranker(rows, RankerConfig(epochs=1, batch_size=512))
    before = ServedRanker(model, 3).scores(features)
    assert calibrate(model, rows, chosen) != 0.0
    after = ServedRanker(model, 3).scores(features)
    stands_for = np.where(bought, 1.0, 2.0)[chosen]
    assert abs((stands_for * after[chosen]).sum() / bought[chosen].sum() - 1) < 1e-3
    assert (np.sign(after - before) == np.sign(after[0] - before[0])).all()
    assert calibrate(model, rows, np.zeros(4_000, np.bool_)) == 0.0
