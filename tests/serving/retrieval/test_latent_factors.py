"""The likeliest taste and the features made of it, in a shop of two groups and one way to differ."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from serving.ranking.features.latent_factors import LATENT_FACTORS
from serving.ranking.ranking_inputs import SALES_SMOOTHING
from serving.retrieval.articles import CATEGORIES, ArticleTable
from serving.retrieval.customer import Customer
from serving.retrieval.latent_factors import GROUP, SHARE_SMOOTHING, LatentFactors
from tests.serving.feature_worlds import inputs_of, values_of
from tests.serving.retrieval_worlds import TODAY, bought, shop

PLAIN, BOLD = -1.0, 1.0
LOOKS = np.array([PLAIN, BOLD, BOLD, PLAIN, BOLD, 0.0])
LADIES, MEN = 1, 2
GROUPS = np.array([LADIES, LADIES, LADIES, MEN, MEN, MEN])
UNITS = [8, 2, 0, 1, 1, 1]
PRECISION = 2.0


def tastes() -> LatentFactors:
    """One taste; in an old period what was bought was plain, in the new one half is bold."""
    middles = np.zeros((2, 3, 1), np.float32)
    middles[0] = -0.5
    return LatentFactors(
        vectors=LOOKS[:, None].astype(np.float32),
        starts=np.array([TODAY - 60, TODAY - 20], np.int32),
        middles=middles,
        spreads=np.ones((2, 3, 1, 1), np.float32),
        prior_mean=np.zeros(1, np.float32),
        prior_precision=np.array([[PRECISION]], np.float32),
        shares=np.array([0.0, 0.75, 0.25], np.float32),
    )


def table() -> ArticleTable:
    articles = shop(UNITS, product=[0, 1, 1, 2, 3, 4])
    categories = articles.categories.copy()
    categories[:, CATEGORIES.index(GROUP)] = GROUPS
    return replace(articles, categories=categories, latent_factors=tastes())


def features(*purchases: tuple[str, int]) -> dict[str, np.ndarray]:
    articles = table()
    customer = Customer.from_values("c", bought(*purchases) if purchases else {}, articles, TODAY)
    return values_of(LATENT_FACTORS, inputs_of(customer, articles))


def taste_after(*purchases: tuple[int, int]) -> float:
    article, ago = np.array(purchases, np.int32).reshape(-1, 2).T
    return float(tastes().of(article, TODAY - ago, table().category(GROUP), table().product).mean[0])


def test_a_stranger_has_the_taste_of_all_and_the_shops_groups() -> None:
    column = features()
    np.testing.assert_allclose(column["taste_lift"], 0.0, atol=1e-6)
    np.testing.assert_allclose(
        np.exp(column["index_group_log_share"]), np.where(GROUPS == LADIES, 0.75, 0.25), rtol=1e-2
    )


def test_each_purchase_pulls_by_what_sets_it_apart_from_what_was_usual_then() -> None:
    assert taste_after((1, 3)) == np.float32(1.0 / (PRECISION + 1))
    assert taste_after((1, 40)) == np.float32(1.5 / (PRECISION + 1))  # bold was rarer then
    assert taste_after((1, 3), (4, 30)) == np.float32(2.5 / (PRECISION + 2))
    assert taste_after((1, 400)) == taste_after((1, 50))  # older than all that is known: the first period


def test_another_colour_of_a_product_tells_nothing_more_of_taste() -> None:
    assert taste_after((2, 3), (1, 40)) == taste_after((1, 40))


def test_the_features_are_chances_within_the_group_and_of_it() -> None:
    column = features(("0000000002", 3))
    taste = 1.0 / (PRECISION + 1)
    norm = 0.5 * taste**2  # of looks spread by 1 around 0
    np.testing.assert_allclose(column["taste_lift"], LOOKS * taste - norm, rtol=1e-5)
    ladies = (1 + SHARE_SMOOTHING * 0.75) / (1 + SHARE_SMOOTHING)
    np.testing.assert_allclose(
        np.exp(column["index_group_log_share"]), np.where(GROUPS == LADIES, ladies, 1 - ladies), rtol=1e-2
    )
    of_group = np.log((np.array(UNITS) + SALES_SMOOTHING) / np.where(GROUPS == LADIES, 11.0, 4.0))
    np.testing.assert_allclose(
        column["taste_log_chance"], column["taste_lift"] + of_group + column["index_group_log_share"], rtol=1e-5
    )


def test_a_release_without_tastes_leaves_the_features_missing(tmp_path: Path) -> None:
    articles = replace(table(), latent_factors=None)
    customer = Customer.from_values("c", bought(("0000000002", 3)), articles, TODAY)
    values = values_of(LATENT_FACTORS, inputs_of(customer, articles))
    assert list(values) == ["taste_lift", "taste_log_chance", "index_group_log_share"]
    assert np.isnan(list(values.values())).all()
    articles.save(tmp_path)
    assert ArticleTable.load(tmp_path).latent_factors is None


def test_tastes_are_kept_with_the_releases_articles(tmp_path: Path) -> None:
    table().save(tmp_path)
    read, written = ArticleTable.load(tmp_path).latent_factors, tastes()
    assert read is not None
    for name in LatentFactors.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(read, name), getattr(written, name))
