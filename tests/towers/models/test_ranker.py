"""The ranker learns, and its score is a probability although it saw few of the negatives."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from towers.data.negatives import sample_negatives
from towers.data.ranking_set import RankingSet
from towers.models.ranker import RankerConfig, ServedRanker, calibrate, log_shares, train_ranker

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


def test_the_cross_entropy_while_training_allows_for_the_negatives_left_out() -> None:
    # All four candidates look alike, so every logit starts at 0. A quarter of the negatives was kept: while training
    # the logit is 0 - log(1/4) = log 4. Binary cross-entropy of the one that was bought: log(1 + e^-log 4) = log 1.25,
    # of the three that were not: log(1 + e^log 4) = log 5.
    bought = np.array([True, False, False, False])
    rows = RankingSet(np.ones((4, 2), np.float32), bought, np.full(4, 0.25, np.float32), np.array([4], np.int32))
    (loss,) = train_ranker(rows, RankerConfig(epochs=1)).epoch_losses
    assert abs(loss - (np.log(1.25) + 3 * np.log(5)) / 4) < 1e-5


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


def test_where_everything_was_bought_there_is_no_level_to_set() -> None:
    rows = RankingSet(np.ones((3, 2), np.float32), np.ones(3, np.bool_), np.ones(3, np.float32), np.ones(3, np.int32))
    model = train_ranker(rows, RankerConfig(epochs=1))
    assert calibrate(model, rows, np.ones(3, np.bool_)) == 0.0


def test_a_level_that_is_far_off_is_set_right() -> None:
    features = np.arange(8, dtype=np.float32)[:, None]
    bought = np.arange(8) == 7
    rows = RankingSet(features, bought, np.ones(8, np.float32), np.array([8], np.int32))
    model = train_ranker(rows, RankerConfig(epochs=1))
    model.shift(-60.0)
    calibrate(model, rows, np.ones(8, np.bool_))
    assert abs(ServedRanker(model, 1).scores(features).sum() - 1.0) < 1e-3


def test_without_candidates_to_learn_from_it_still_gives_chances() -> None:
    nothing = RankingSet(
        np.empty((0, 2), np.float32), np.empty(0, np.bool_), np.empty(0, np.float32), np.zeros(4, np.int32)
    )
    model = train_ranker(nothing, RankerConfig(epochs=1))
    assert calibrate(model, nothing, np.empty(0, np.bool_)) == 0.0
    scores = ServedRanker(model, 2).scores(np.array([[3.0, np.nan], [0.0, -1e9]], np.float32))
    assert ((scores > 0) & (scores < 1)).all()


def test_customers_who_were_offered_nothing_change_nothing() -> None:
    rng = np.random.default_rng(4)
    features, bought = rng.normal(size=(40, 2)).astype(np.float32), np.arange(40) % 10 == 0
    shares = np.ones(40, np.float32)

    def scores(case_rows: list[int]) -> np.ndarray:
        rows = RankingSet(features, bought, shares, np.array(case_rows, np.int32))
        return ServedRanker(train_ranker(rows, RankerConfig(epochs=2, batch_size=10)), 2).scores(features)

    np.testing.assert_array_equal(scores([10, 0, 10, 0, 0, 10, 10]), scores([10, 10, 10, 10]))
