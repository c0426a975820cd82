"""What feature groups read, made of a few facts, and how a test states all of a group's columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from serving.ranking.feature_group import FeatureGroup
from serving.ranking.ranking_inputs import RankingInputs
from serving.retrieval.articles import ACTIVITY_COLUMNS, CATEGORIES, SALES_COLUMNS, ArticleTable
from serving.retrieval.candidates import CandidateSet
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex

NAN = float("nan")


def set_columns(articles: ArticleTable, **columns: Sequence[float]) -> ArticleTable:
    """Overwrite columns of the table: ``category_...``, ``sales_...`` or ``activity_...`` by name."""
    for name, values in columns.items():
        block, _, column = name.partition("_")
        if block == "category":
            articles.categories[:, CATEGORIES.index(column)] = values
        elif block == "sales":
            articles.sales[:, SALES_COLUMNS.index(column)] = values
        else:
            articles.activity[:, ACTIVITY_COLUMNS.index(column)] = values
    return articles


def inputs_of(
    customer: Customer,
    articles: ArticleTable,
    vectors: np.ndarray | None = None,
    query: np.ndarray | None = None,
    candidates: CandidateSet | None = None,
) -> RankingInputs:
    """All articles as candidates of one source unless told otherwise; temperature 0.5, popularity weighs 2."""
    size = len(articles)
    everything = CandidateSet(
        np.arange(size, dtype=np.int32),
        np.arange(size, dtype=np.int32)[:, None],
        np.zeros((size, 1), np.float32),
        ("trending",),
    )
    index = ItemIndex(np.eye(size, dtype=np.float32) if vectors is None else vectors, 0.5, 2.0)
    return RankingInputs(customer, candidates or everything, articles, index, query)


def values_of(group: FeatureGroup, inputs: RankingInputs) -> dict[str, np.ndarray]:
    """The group's columns by name, [m] each."""
    size = len(inputs.candidates)
    columns = zip(group.columns, group.compute(inputs), strict=True)
    return {name: np.broadcast_to(np.asarray(column, np.float32), size) for name, column in columns}


def assert_columns(group: FeatureGroup, inputs: RankingInputs, expected: Mapping[str, Any]) -> None:
    """The group has these columns, in order, with these values, no two of them alike: else nobody saw them swapped."""
    values = values_of(group, inputs)
    assert list(values) == list(expected)
    for name, column in expected.items():
        np.testing.assert_allclose(values[name], column, rtol=1e-5, atol=1e-6, err_msg=name)
    for one, other in combinations(expected, 2):
        assert not np.allclose(expected[one], expected[other], rtol=1e-3, equal_nan=True), (
            f"nobody would see {one} and {other} swapped; tell them apart in this world"
        )
