"""Which categories are bought after which: counts for ``serving/retrieval/co_occurrence.py``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from serving.retrieval.co_occurrence import LIFT_CATEGORIES, CoOccurrence
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.purchase_pairs import purchase_pairs

SMOOTHING = 20.0
"""Pairs of a category that count as no evidence."""


def fit_co_occurrence(recent: PurchaseLog, articles: ArticleTable) -> CoOccurrence:
    """Count pairs of a customer's purchases of different products, by category."""
    left, right, weight = purchase_pairs(recent)
    others = articles.product[left] != articles.product[right]
    left, right, weight = left[others], right[others], weight[others]
    lifts = {}
    for name in LIFT_CATEGORIES:
        codes = articles.category(name)
        lifts[name] = _lift(codes[left], codes[right], weight, len(articles.vocabularies[name]))
    return CoOccurrence(lifts)


def _lift(
    left: npt.NDArray[np.int32], right: npt.NDArray[np.int32], weight: npt.NDArray[np.float32], size: int
) -> npt.NDArray[np.float32]:
    pairs = np.bincount(left.astype(np.int64) * size + right, weight, size * size).reshape(size, size)
    share = (pairs.sum(axis=0) + 1.0) / (pairs.sum() + size)
    after = (pairs + SMOOTHING * share) / (pairs.sum(axis=1, keepdims=True) + SMOOTHING)
    lift: npt.NDArray[np.float32] = (after / share).astype(np.float32)
    return lift
