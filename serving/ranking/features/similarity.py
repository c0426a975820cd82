"""How near a candidate's item vector is to the query and to what the customer bought."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from serving.ranking.feature_group import Column, FeatureGroup
from serving.ranking.ranking_inputs import RankingInputs
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import PRIOR_SMOOTHING, ItemIndex

RECENT_SIMILARITY = 5
"""Purchases whose item vectors a candidate is compared with."""
TASTE_SMOOTHING = 5.0
"""Purchases that count as no evidence of a taste."""


class _Vectors(NamedTuple):
    candidates: npt.NDArray[np.float32]  # [m, d]
    cosine: Column  # of query and candidates, [m]; missing without a query embedding
    to_recent: npt.NDArray[np.float32]  # [m, recent] cosines, NaN to itself
    units_3d: npt.NDArray[np.float32]  # [m]
    customer: Customer
    items: ItemIndex

    @classmethod
    def of(cls, inputs: RankingInputs) -> _Vectors:
        positions, index = inputs.positions, inputs.index
        vectors = index.vectors[positions]
        recent = inputs.customer.bought[:RECENT_SIMILARITY]
        to_recent = vectors @ index.vectors[recent].T
        # An article bought before would see itself; other features tell that already.
        to_recent[positions[:, None] == recent[None, :]] = np.nan
        cosine = math.nan if inputs.query_embedding is None else vectors @ inputs.query_embedding
        return cls(vectors, cosine, to_recent, inputs.units_3d, inputs.customer, index)


def _prior_score(vectors: _Vectors) -> Column:
    """As the index scores: similarity and popularity."""
    items, log_units = vectors.items, np.log(vectors.units_3d + PRIOR_SMOOTHING)
    return vectors.cosine / items.temperature + items.prior_weight * log_units


def _recent_max(vectors: _Vectors) -> Column:
    if not vectors.customer.has_history:
        return math.nan
    return np.where(np.isnan(vectors.to_recent), -1.0, vectors.to_recent).max(axis=1)


def _recent_mean(vectors: _Vectors) -> Column:
    if not vectors.customer.has_history:
        return math.nan
    counted = ~np.isnan(vectors.to_recent)
    return np.where(counted, vectors.to_recent, 0.0).sum(axis=1) / np.maximum(counted.sum(axis=1), 1)


def _taste(vectors: _Vectors) -> Column:
    """Towards where all purchases of the customer lie, however old, seen from the middle of the catalogue.

    The query tower leans on the newest purchases; here all count the same. It is the shorter the fewer they are.
    """
    customer, items = vectors.customer, vectors.items
    if not customer.has_history:
        return math.nan
    times = customer.bought_times.astype(np.float32)
    purchases = float(times.sum())
    middle = times @ items.vectors[customer.bought] / purchases - items.centre
    return vectors.candidates @ (middle * np.float32(purchases / (purchases + TASTE_SMOOTHING)))


SIMILARITY = FeatureGroup[RankingInputs, _Vectors](
    _Vectors.of,
    {
        "tower_cosine": lambda vectors: vectors.cosine,
        "tower_prior_score": _prior_score,
        "recent_cosine_max": _recent_max,
        "recent_cosine_mean": _recent_mean,
        "tower_taste": _taste,
    },
)
