"""Latent tastes, fitted to purchases that were drawn by known ones."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from serving.retrieval.articles import CATEGORIES, ArticleTable
from serving.retrieval.latent_factors import GROUP, LatentFactors
from tests.towers.tower_worlds import catalogue
from towers.data.purchase_log import PurchaseLog
from towers.training import factor_fitting
from towers.training.factor_fitting import fit_latent_factors

ARTICLES, CUSTOMERS, BASKETS, WEEKS = 120, 400, 12, 8
STRENGTH = 1.5
TODAY = 18_525


@dataclass(frozen=True)
class World:
    """Articles of two groups; customers like them for how they look, and this week for something else."""

    table: ArticleTable
    looks: np.ndarray  # [n]
    tastes: np.ndarray  # [customers]
    purchases: PurchaseLog
    columns: np.ndarray  # [n, 5]: looks, and four things that nobody cares for
    fitted: LatentFactors

    def purchases_columns(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.purchases.customer, self.purchases.article, self.purchases.day

    def lifts(self, customer: int) -> np.ndarray:
        """What is guessed from the customer's purchases, [n]."""
        own = np.flatnonzero(self.purchases.customer == customer)[::-1]
        guess = self.guess(self.purchases.article[own], self.purchases.day[own])
        return self.fitted.vectors @ guess.mean

    def guess(self, article: np.ndarray, day: np.ndarray):
        return self.fitted.of(article, day, self.table.category(GROUP), self.table.product)

    def agreement(self) -> float:
        """Mean correlation of guessed and true liking within a group, over customers with a taste."""
        group = self.table.category(GROUP) == 1
        found = [
            np.corrcoef(self.lifts(customer)[group], self.looks[group] * taste)[0, 1]
            for customer, taste in enumerate(self.tastes)
            if abs(taste) > 1
        ]
        return float(np.mean(found))


def table() -> ArticleTable:
    articles = catalogue(ARTICLES).table
    categories = articles.categories.copy()
    categories[:, CATEGORIES.index(GROUP)] = 1 + np.arange(ARTICLES) % 2
    vocabularies = articles.vocabularies | {GROUP: ["", "ladies", "men"]}
    product = np.arange(ARTICLES, dtype=np.int32)
    return replace(articles, categories=categories, vocabularies=vocabularies, product=product)


def draw(seed: int = 1) -> World:
    rng = np.random.default_rng(seed)
    articles = table()
    looks, tastes = rng.normal(size=ARTICLES), rng.normal(size=CUSTOMERS)
    appeal = rng.normal(size=(WEEKS, ARTICLES))  # what everybody likes, another thing every week
    rows = []
    for customer in range(CUSTOMERS):
        for basket in range(BASKETS):
            week = basket * WEEKS // BASKETS
            members = np.flatnonzero(articles.category(GROUP) == 1 + (customer + basket) % 2)
            utility = STRENGTH * looks[members] * tastes[customer] + appeal[week, members]
            chance = np.exp(utility - utility.max())
            day = TODAY - 7 * (WEEKS - week) + basket % 7
            rows.append((customer, rng.choice(members, p=chance / chance.sum()), day))
    customer, article, day = np.array(sorted(rows, key=lambda row: row[2]), np.int32).T
    purchases = PurchaseLog(customer, article, day)
    columns = np.column_stack([looks, rng.normal(size=(ARTICLES, 4))]).astype(np.float32)
    fitted = fit_latent_factors(purchases, articles, columns, dim=4)
    assert fitted is not None
    return World(articles, looks, tastes, purchases, columns, fitted)


@pytest.fixture(scope="module")
def world() -> World:
    return draw()


def test_what_sets_customers_apart_is_found_in_a_dozen_purchases(world: World) -> None:
    assert world.agreement() > 0.9


def test_where_content_is_wrong_buyers_are_believed(world: World) -> None:
    article = int(np.abs(world.looks).argmax())
    columns = world.columns.copy()
    columns[article] *= -1
    fitted = fit_latent_factors(world.purchases, world.table, columns, dim=4)
    assert fitted is not None
    others = np.arange(ARTICLES) != article
    look_of = np.linalg.lstsq(fitted.vectors[others], world.looks[others], rcond=None)[0]
    believed = fitted.vectors[article] @ look_of
    assert believed * np.sign(world.looks[article]) > 0  # content says the opposite, as loudly as of any article


def test_an_article_that_nobody_bought_has_the_vector_that_its_content_says(world: World) -> None:
    unsold = int(np.abs(world.looks).argmax())
    kept = world.purchases.article != unsold
    log = PurchaseLog(*(column[kept] for column in world.purchases_columns()))
    fitted = fit_latent_factors(log, world.table, world.columns, dim=4)
    assert fitted is not None
    alike = fitted.vectors @ np.linalg.solve(fitted.prior_precision, fitted.vectors[unsold])
    assert np.corrcoef(alike, world.looks * world.looks[unsold])[0, 1] > 0.8


def test_what_everybody_buys_tells_nothing_of_ones_taste(world: World) -> None:
    """A week in which all bought one article: whoever bought it then is as unknown as before."""
    fad, customers = 3, np.arange(CUSTOMERS, dtype=np.int32)
    rows = (customers, np.full(CUSTOMERS, fad, np.int32), np.full(CUSTOMERS, TODAY - 1, np.int32))
    log = PurchaseLog(*(np.concatenate(pair) for pair in zip(world.purchases_columns(), rows, strict=True)))
    fitted = fit_latent_factors(log, world.table, world.columns, dim=4)
    assert fitted is not None
    shy = fitted.of(rows[1][:1], rows[2][:1], world.table.category(GROUP), world.table.product)
    bold = fitted.of(rows[1][:1], np.array([TODAY - 40], np.int32), world.table.category(GROUP), world.table.product)
    assert np.abs(shy.mean - fitted.prior_mean).max() < 0.6 * np.abs(bold.mean - fitted.prior_mean).max()


def test_serving_guesses_what_fitting_did(world: World) -> None:
    choices = factor_fitting._Choices.of(world.purchases, world.table)
    prior = factor_fitting._Prior(
        world.fitted.prior_mean.astype(np.float64), np.linalg.inv(world.fitted.prior_precision.astype(np.float64))
    )
    articles = factor_fitting._Articles.at(world.fitted.vectors.astype(np.float64), choices)
    ((_, means, _),) = factor_fitting._posteriors(choices, articles, prior)
    for customer in (0, 17, CUSTOMERS - 1):
        own = np.flatnonzero(world.purchases.customer == customer)[::-1]
        guess = world.guess(world.purchases.article[own], world.purchases.day[own])
        np.testing.assert_allclose(guess.mean, means[customer], rtol=1e-3, atol=1e-4)


def test_thin_weeks_are_taken_together() -> None:
    day = np.array([TODAY] * 600 + [TODAY - 7] * 100 + [TODAY - 14] * 400 + [TODAY - 100] * 3, np.int32)
    assert factor_fitting._period_starts(day).tolist() == [TODAY - 20, TODAY - 6]
    assert factor_fitting._period_starts(day[-3:]).tolist() == [TODAY - 100]


@pytest.mark.parametrize("bought", [[], [(0, 1)], [(0, 1), (0, 1)], [(0, 1), (0, 2), (1, 2)]], ids=str)
def test_a_young_shop_gets_tastes_that_say_nothing_wild(bought: list[tuple[int, int]]) -> None:
    rows = np.array([(customer, article, TODAY - 1) for customer, article in bought], np.int32).reshape(-1, 3)
    articles = table()
    fitted = fit_latent_factors(PurchaseLog(*rows.T), articles, np.eye(ARTICLES, 6, dtype=np.float32))
    if not bought:
        assert fitted is None
        return
    assert fitted is not None
    day = np.array([TODAY], np.int32)
    guess = fitted.of(np.array([1], np.int32), day, articles.category(GROUP), articles.product)
    lifts = fitted.vectors @ guess.mean
    assert np.isfinite(lifts).all()
    assert np.abs(lifts).max() < 3
