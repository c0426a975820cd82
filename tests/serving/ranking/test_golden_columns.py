"""Columns of the ranker keep their order and values: releases were trained on them, and name them in the manifest.

``golden_columns.csv`` holds one line a column: its name, then its values for the six articles of a small shop, for a
returning customer and then for a stranger. A change of these lines is a change of what existing releases are fed.
"""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np

from serving.ranking.ranking_features import ranking_feature_names, ranking_features
from serving.retrieval.articles import ACTIVITY_COLUMNS, CATEGORIES, SALES_COLUMNS, ArticleTable
from serving.retrieval.candidates import ABSENT, CandidateSet
from serving.retrieval.customer import Customer
from serving.retrieval.item_index import ItemIndex
from serving.retrieval.latent_factors import LatentFactors
from tests.serving.retrieval_worlds import TODAY, bought, shop
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.article_counts import with_counts

GOLDEN = Path(__file__).parent / "golden_columns.csv"
SOURCES = ("bought_again", "same_product", "bought_together", "tower", "department_trend", "trending", "cold_articles")
SIZE = 6


def articles() -> ArticleTable:
    """Nothing is like anything else: columns are told apart by primes."""
    row, column = np.arange(SIZE)[:, None], np.arange(max(len(SALES_COLUMNS), len(CATEGORIES)))
    table = shop([5, 3, 0, 7, 1, 2], product=[0, 0, 1, 2, 2, 3])
    table.categories[:] = 1 + (row * 7 + column[: len(CATEGORIES)] * (row + 1)) % 3
    table.sales[:] = 10 + (row * 13 + column[: len(SALES_COLUMNS)] * 29) % 101
    table.activity[:] = 1 + (row * 11 + column[: len(ACTIVITY_COLUMNS)] * 17) % 47
    table.activity[2] = np.nan
    purchases = PurchaseLog(
        np.arange(40, dtype=np.int32) // 4,
        (np.arange(40, dtype=np.int32) * 5 + np.arange(40, dtype=np.int32) // 7) % SIZE,
        (TODAY - 40 + np.arange(40)).astype(np.int32),
    )
    groups = len(table.vocabularies["index_group_name"])
    tastes = LatentFactors(
        vectors=np.array([[1, 0], [0, 1], [0.5, 0.5], [-1, 0], [0, -1], [0.2, -0.3]], np.float32),
        starts=np.array([TODAY - 60, TODAY - 20], np.int32),
        middles=np.full((2, groups, 2), 0.1, np.float32),
        spreads=np.tile(np.eye(2, dtype=np.float32), (2, groups, 1, 1)),
        prior_mean=np.array([0.1, -0.1], np.float32),
        prior_precision=2 * np.eye(2, dtype=np.float32),
        shares=np.array([0, 0.5, 0.3, 0.2, *[0] * (groups - 4)], np.float32),
    )
    return replace(with_counts(table, purchases), latent_factors=tastes)


def index() -> ItemIndex:
    angles = np.arange(SIZE) * 0.7
    return ItemIndex(np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32), 0.1, 0.3)


def customers(table: ArticleTable) -> list[Customer]:
    numbers = (
        "purchases",
        "distinct_articles",
        "active_days",
        "mean_days_between_purchases",
        "spend_mean_micros",
        "spend_std_micros",
        "online_share",
        "mean_price_micros",
    )
    views = ("customer_history", "customer_activity_30d")
    references = ["customer_profile:age", *(f"{view}:{name}" for view in views for name in numbers)]
    returning = {
        **bought(("0000000004", 2), ("0000000001", 2), ("0000000006", 19)),
        **{reference: 3.0 + 2 * place for place, reference in enumerate(references)},
        "customer_history:article_times": [1, 3, 2],
    }
    return [Customer.from_values("c", values, table, TODAY) for values in (returning, {})]


def candidates() -> CandidateSet:
    places = np.arange(SIZE)[:, None] * 5 + np.arange(len(SOURCES)) * 3
    ranks = np.where(places % 4 == 0, ABSENT, places % 11).astype(np.int32)
    return CandidateSet(
        np.arange(SIZE, dtype=np.int32), ranks, np.where(ranks == ABSENT, 0, places / 64).astype(np.float32), SOURCES
    )


def test_columns_are_those_that_releases_were_trained_on() -> None:
    with GOLDEN.open(newline="") as file:
        lines = {name: [float(value) for value in values] for name, *values in csv.reader(file)}
    assert ranking_feature_names(SOURCES) == tuple(lines)
    table = articles()
    query = np.array([0.6, 0.8], np.float32)
    seen = [ranking_features(customer, candidates(), table, index(), query) for customer in customers(table)]
    for column, (name, values) in zip(np.concatenate(seen).T, lines.items(), strict=True):
        np.testing.assert_allclose(column, values, rtol=1e-5, atol=1e-6, err_msg=name)
