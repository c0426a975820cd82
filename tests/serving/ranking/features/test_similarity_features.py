"""Item vectors in the plane, where every cosine is plain to see."""

from __future__ import annotations

import numpy as np

from serving.ranking.features.similarity import SIMILARITY
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import NAN, assert_columns, inputs_of, set_columns
from tests.serving.retrieval_worlds import TODAY, bought, shop

ARTICLES = set_columns(shop([0, 0, 0]), activity_units_3d=[0.7, 1.7, 9.7])  # 1, 2 and 10 with the prior's smoothing
VECTORS = np.array([[1, 0], [0, 1], [0.6, 0.8]], np.float32)
QUERY = np.array([0.8, 0.6], np.float32)


def test_candidates_are_compared_with_the_query_and_with_what_was_bought() -> None:
    values = {**bought(("0000000001", 1), ("0000000002", 2)), "customer_history:article_times": [1, 3]}
    customer = Customer.from_values("c", values, ARTICLES, TODAY)
    # Purchases lie at (1/4, 3/4), the catalogue at (1.6/3, 1.8/3); four purchases count for 4 of 4 + 5.
    taste = np.array([1 / 4 - 1.6 / 3, 3 / 4 - 1.8 / 3]) * 4 / 9
    assert_columns(
        SIMILARITY,
        inputs_of(customer, ARTICLES, VECTORS, QUERY),
        {
            "tower_cosine": [0.8, 0.6, 0.96],
            "tower_prior_score": [1.6, 1.2 + 2 * np.log(2), 1.92 + 2 * np.log(10)],  # cosine / 0.5 + 2 log units
            "recent_cosine_max": [0, 0, 0.8],  # what was bought does not see itself
            "recent_cosine_mean": [0, 0, 0.7],
            "tower_taste": [taste[0], taste[1], 0.6 * taste[0] + 0.8 * taste[1]],
        },
    )


def test_of_a_stranger_only_the_query_tells() -> None:
    stranger = Customer.from_values("c", {}, ARTICLES, TODAY)
    values = SIMILARITY.compute(inputs_of(stranger, ARTICLES, VECTORS, QUERY))
    np.testing.assert_allclose(values[0], [0.8, 0.6, 0.96], rtol=1e-6)
    np.testing.assert_equal(values[2:], [NAN] * 3)
