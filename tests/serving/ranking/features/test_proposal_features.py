"""What each source says of a candidate, and all of them together."""

from __future__ import annotations

import numpy as np

from serving.ranking.features.proposals import BEST_RANKS, proposals
from serving.retrieval.candidates import ABSENT, CandidateSet
from serving.retrieval.customer import Customer
from tests.serving.feature_worlds import assert_columns, inputs_of
from tests.serving.retrieval_worlds import TODAY, shop

ARTICLES = shop([0, 0])
CANDIDATES = CandidateSet(
    positions=np.array([0, 1], np.int32),
    ranks=np.array([[0, ABSENT], [3, 1]], np.int32),
    scores=np.array([[0.9, 0.0], [0.5, 0.25]], np.float32),
    sources=("tower", "trending"),
)
INPUTS = inputs_of(Customer.from_values("c", {}, ARTICLES, TODAY), ARTICLES, candidates=CANDIDATES)


def test_every_source_gives_its_rank_and_score() -> None:
    assert_columns(
        proposals(("tower", "trending")),
        INPUTS,
        {
            "tower_rank": [0, 3],
            "trending_rank": [1_000, 1],
            "tower_score": [0.9, 0.5],
            "trending_score": [0, 0.25],
            "sources": [1, 2],
        },
    )


def test_ranks_of_all_sources_are_summed_up() -> None:
    assert_columns(BEST_RANKS, INPUTS, {"best_rank": [0, 1], "reciprocal_ranks": [1 / 10 + 1 / 1_010, 1 / 13 + 1 / 11]})
