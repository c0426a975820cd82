"""What hits do not tell: how much of the catalogue is shown, how unexpected it is, and how varied each list is.

Coverage, novelty as mean self-information, and intra-list distance as in Vargas and Castells, Rank and relevance in
novelty and diversity metrics for recommender systems, 2011. Distance is by metadata, not by any model's vectors, so
that all rows are measured by the same rod.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.retrieval.articles import ArticleTable
from towers.evaluation.metrics import NO_ARTICLE

TOP = 12
_CASES_AT_ONCE = 2_048


@dataclass(frozen=True)
class Variety:
    """Of the first ``TOP`` of everybody's list."""

    coverage: float  # share of the catalogue that is shown to anybody
    novelty_bits: float  # mean -log2 of the share of all units sold before the day; one more unit for each article
    diversity: float  # mean share of metadata columns in which two articles of a list differ


def variety(ranked: npt.NDArray[np.int32], articles: ArticleTable) -> Variety:
    """Measure lists [cases, at least TOP], of customers of one slice; of a smaller catalogue what there is of it."""
    top = ranked[:, : min(TOP, len(articles))]
    shown = top[top != NO_ARTICLE]
    units = np.nan_to_num(articles.sales_column("units").astype(np.float64)) + 1.0
    information = -np.log2(units / units.sum())
    full = top[(top != NO_ARTICLE).all(axis=1)]
    return Variety(
        len(np.unique(shown)) / len(articles),
        float(information[shown].mean()) if len(shown) else float("nan"),
        _diversity(full, articles.categories) if len(full) else float("nan"),
    )


def _diversity(top: npt.NDArray[np.int32], categories: npt.NDArray[np.int32]) -> float:
    first, second = np.triu_indices(top.shape[1], k=1)
    if not first.size:
        return 0.0  # one article differs from nothing
    total = 0.0
    for start in range(0, len(top), _CASES_AT_ONCE):
        values = categories[top[start : start + _CASES_AT_ONCE]]
        total += float((values[:, first] != values[:, second]).mean(axis=(1, 2)).sum())
    return total / len(top)
