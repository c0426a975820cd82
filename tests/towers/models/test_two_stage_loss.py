"""The two-stage model's losses, derived by hand.

Everyone and everything stands at one of two ends: embeddings have one dimension that says something, so a query of
sure customers is +1 or -1, a candidate +1 or -1, and with temperature .5 a retrieval score is +2 (same end) or -2.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import exp, log1p
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from towers.data.preprocessing import CategoryPreprocessing, NumericPreprocessing
from towers.models.article_encoder import IMAGE_DIM, TERMS_PER_ARTICLE, ArticleContent
from towers.models.two_stage import RankingHead, TwoStageConfig, TwoStageModel

RIGHT, LEFT = 1.0, -1.0
COAT, HAT = 0, 1
PLACES = (RIGHT, LEFT)  # of coat and hat
SURE = 100.0  # a logit whose sigmoid is 1


def two_ends(prior: Sequence[float] = (0.0, 0.0), **config: Any) -> TwoStageModel:
    """The model of a shop that sells a coat and a hat, with towers that say at which end someone stands."""
    ends = NumericPreprocessing.fit(np.array([[RIGHT], [LEFT]]))
    model = TwoStageModel(
        TwoStageConfig(
            embedding_dim=2, query_hidden=(), candidate_hidden=(), dropout=0.0, initial_temperature=0.5, **config
        ),
        ArticleContent(
            np.zeros((2, 1), np.int32), (1,), np.zeros((2, TERMS_PER_ARTICLE), np.int32), np.zeros((2, IMAGE_DIM), "f2")
        ),
        ends,
        CategoryPreprocessing.fit((1,)),
        ends,
        np.array([[[place] for place in PLACES]], np.float32),
        np.array([prior], np.float32),
    )
    model.compute_loss(bought((RIGHT, COAT)))  # makes the weights
    query, candidate = model.query_tower, model.candidate_tower
    for variable in (*query.trainable_variables, *candidate.trainable_variables):
        variable.assign(tf.zeros_like(variable))
    # The numbers come first into the query tower, last into the candidate tower.
    query._out.kernel.assign(np.eye(query._out.kernel.shape[0], 1))
    candidate._out.kernel.assign(np.eye(candidate._out.kernel.shape[0], 1)[::-1])
    query.get_layer("confidence").bias.assign([SURE])
    return model


def bought(*pairs: tuple[float, int]) -> dict[str, tf.Tensor]:
    """A batch of (where the customer stands, article)."""
    customers, articles = zip(*pairs, strict=True)
    return {
        "numeric": tf.constant(customers, tf.float32)[:, None],
        "categories": tf.zeros((len(pairs), 1), tf.int32),
        "recent": tf.fill((len(pairs), 3), -1),
        "recent_age_days": tf.zeros((len(pairs), 3)),
        "article": tf.constant(articles, tf.int32),
        "day": tf.zeros(len(pairs), tf.int32),
    }


def losses_drawn(model: TwoStageModel, batch: dict[str, tf.Tensor]) -> list[float]:
    """The different losses of a batch whose negatives are drawn again and again, ascending."""
    tf.keras.utils.set_random_seed(1)
    return sorted({round(float(model.compute_loss(batch)), 5) for _ in range(40)})


def test_targets_of_others_are_negatives_and_the_same_article_is_none() -> None:
    model = two_ends(prior=(3.0, -1.0), uniform_negatives=0, ranking_weight=0.0)
    # Scores of a customer (row) with the targets coat, hat, coat of the batch:
    #   Anna, right  [ 2 -2  x ]  x: Cleo's coat is what Anna bought, masked
    #   Bob, left    [-2  2 -2 ]  the coat twice, once for each who bought it
    #   Cleo, right  [ x -2  2 ]
    # Softmax cross-entropy of Anna and of Cleo: -log(e^2 / (e^2 + e^-2)) = log(1 + e^-4)
    #                          of Bob:           -log(e^2 / (e^2 + 2 e^-2)) = log(1 + 2 e^-4)
    # The popularity prior is in none of them: that popular articles are drawn more often stands in for it.
    expected = (2 * log1p(exp(-4)) + log1p(2 * exp(-4))) / 3
    assert float(model.compute_loss(bought((RIGHT, COAT), (LEFT, HAT), (RIGHT, COAT)))) == pytest.approx(expected, 1e-4)


def test_a_uniform_draw_is_a_negative_unless_it_is_what_was_bought() -> None:
    model = two_ends(uniform_negatives=1, ranking_weight=0.0)
    # The hat is drawn: log(1 + e^-4). The coat is drawn: masked, and alone in the softmax the target costs nothing.
    assert losses_drawn(model, bought((RIGHT, COAT))) == pytest.approx([0.0, log1p(exp(-4))], abs=2e-5)


def test_the_head_learns_whether_each_pair_was_bought() -> None:
    model = two_ends(
        prior=(0.5, 1.5), prior_weight=2.0, uniform_negatives=1, head_negatives=1, retrieval_weight=0.0,
        ranking_weight=1.0,
    )  # fmt: skip
    # Logits start as the retrieval score: coat 2 + 2 * .5 = 3, hat -2 + 2 * 1.5 = 1. The bought pair is joined by one
    # more, drawn from the batch's candidates: the coat again, labelled bought, or the hat, labelled not bought.
    # Binary cross-entropy: bought log(1 + e^-logit), not bought log(1 + e^logit), the mean of both pairs.
    again, hat = log1p(exp(-3)), (log1p(exp(-3)) + log1p(exp(1))) / 2
    assert losses_drawn(model, bought((RIGHT, COAT))) == pytest.approx([again, hat], abs=2e-5)


def test_both_losses_are_weighted_into_one() -> None:
    model = two_ends(prior=(0.5, -1.0), uniform_negatives=0, head_negatives=0, retrieval_weight=3.0, ranking_weight=0.2)
    # Retrieval: Anna and Bob each have the other's target as the one negative: log(1 + e^-4).
    # Ranking, of what was bought only: logits 2 + .5 and 2 - 1, so (log(1 + e^-2.5) + log(1 + e^-1)) / 2.
    ranking = (log1p(exp(-2.5)) + log1p(exp(-1))) / 2
    expected = 3 * log1p(exp(-4)) + 0.2 * ranking
    assert float(model.compute_loss(bought((RIGHT, COAT), (LEFT, HAT)))) == pytest.approx(expected, 1e-4)


def test_the_head_starts_as_the_retrieval_score_and_corrects_it_by_both_embeddings() -> None:
    head = RankingHead(hidden=1)
    pair = tf.constant([[1.0, 0.0]]), tf.constant([[0.6, 0.8]]), tf.constant([0.6])
    assert head(*pair).numpy() == pytest.approx([0.6])
    head._hidden.kernel.assign(tf.ones((6, 1)))
    head._hidden.bias.assign([-1.0])
    head._out.kernel.assign([[2.0]])
    head._out.bias.assign([0.5])
    head._weight.assign(3.0)
    # query [1 0], candidate [.6 .8], product [.6 0] sum to 3; relu(3 - 1) = 2; 2 * 2 + .5 = 4.5; plus 3 * .6
    assert head(*pair).numpy() == pytest.approx([6.3])
