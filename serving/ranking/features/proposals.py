"""Which sources proposed a candidate, and how high."""

from __future__ import annotations

from collections.abc import Callable

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import ABSENT_RANK, RankingInputs
from serving.retrieval.candidates import ABSENT


def proposals(sources: tuple[str, ...]) -> FeatureGroup[RankingInputs, RankingInputs]:
    """Rank and score by source, and how many sources agree.

    Args:
        sources: those of the release, in the order of the candidates' columns.
    """
    return FeatureGroup(
        lambda inputs: inputs,
        {
            **{f"{source}_rank": _rank(column) for column, source in enumerate(sources)},
            **{f"{source}_score": _score(column) for column, source in enumerate(sources)},
            "sources": lambda inputs: (inputs.candidates.ranks != ABSENT).sum(axis=1),
        },
    )


def _rank(column: int) -> Callable[[RankingInputs], Column]:
    return lambda inputs: inputs.ranks[:, column]


def _score(column: int) -> Callable[[RankingInputs], Column]:
    return lambda inputs: inputs.candidates.scores[:, column]


BEST_RANKS = FeatureGroup[RankingInputs, RankingInputs](
    lambda inputs: inputs,
    {
        "best_rank": lambda inputs: inputs.ranks.min(axis=1, initial=ABSENT_RANK),
        "reciprocal_ranks": lambda inputs: (1.0 / (inputs.ranks + 10.0)).sum(axis=1),
    },
)
