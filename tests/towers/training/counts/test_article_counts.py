"""What goes with what by category, and what is bought again, in a log whose answer is plain to see."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from serving.ranking.features.last_basket import LAST_BASKET, NEVER_DAYS_OF_DEPARTMENT
from serving.ranking.features.lifts import LIFTS
from serving.ranking.features.repeat_purchases import REPEAT_PURCHASES
from serving.ranking.features.sales_shares import SALES_SHARES
from serving.retrieval.articles import ArticleTable
from serving.retrieval.co_occurrence import LIFT_CATEGORIES
from serving.retrieval.customer import Customer
from serving.retrieval.repeat_purchases import RepeatPurchases
from tests.serving.feature_worlds import inputs_of, values_of
from tests.serving.retrieval_worlds import TODAY, bought, shop
from towers.data.purchase_log import PurchaseLog
from towers.training.counts.article_counts import with_counts

SHIRTS, TROUSERS, SOCKS = 1, 2, 3
ARTICLES = shop([6, 3, 2, 1, 0, 0], product=[0, 0, 1, 2, 3, 4], department=[1, 1, 2, 2, 3, 3])


def log(*purchases: tuple[int, int, int]) -> PurchaseLog:
    """(customer, article, days ago)."""
    customer, article, ago = np.asarray(sorted(purchases, key=lambda row: -row[2]), np.int32).T
    return PurchaseLog(customer, article, (TODAY - ago).astype(np.int32))


def shirts_with_trousers() -> PurchaseLog:
    """Whoever buys a shirt buys trousers the day after; socks are bought alone, and again after two days."""
    pairs = [(customer, article, ago) for customer in range(200) for article, ago in ((customer % 2, 4), (2, 3))]
    socks = [(300 + customer, article, ago) for customer in range(100) for article in (4, 5) for ago in (4, 2)]
    return log(*pairs, *socks)


def table() -> ArticleTable:
    return with_counts(ARTICLES, shirts_with_trousers())


def lifts_of(articles: ArticleTable) -> dict[str, np.ndarray]:
    assert articles.co_occurrence is not None
    return articles.co_occurrence.lifts


def repeats_of(articles: ArticleTable) -> RepeatPurchases:
    assert articles.repeat_purchases is not None
    return articles.repeat_purchases


def columns(articles: ArticleTable, *purchases: tuple[str, int]) -> dict[str, np.ndarray]:
    customer = Customer.from_values("c", bought(*purchases) if purchases else {}, articles, TODAY)
    inputs = inputs_of(customer, articles)
    groups = (LIFTS, REPEAT_PURCHASES, SALES_SHARES, LAST_BASKET)
    return {name: values for group in groups for name, values in values_of(group, inputs).items()}


def test_a_category_is_likelier_after_what_it_is_bought_with() -> None:
    lift = lifts_of(table())["department_name"]
    assert lift[SHIRTS, TROUSERS] > 1.2 > 1 > lift[SHIRTS, SOCKS]
    assert lift[SHIRTS, SHIRTS] < 0.2  # two colours of one product do not count, and nobody bought anything else


def test_categories_of_which_nothing_is_known_are_as_likely_as_ever() -> None:
    counted = with_counts(ARTICLES, log((0, 0, 3)))
    assert set(lifts_of(counted)) == set(LIFT_CATEGORIES)
    np.testing.assert_allclose(lifts_of(counted)["department_name"], 1.0, rtol=1e-6)
    assert (repeats_of(counted).rate == 0).all()


def test_an_empty_log_says_nothing() -> None:
    nothing = np.empty(0, np.int32)
    counted = with_counts(ARTICLES, PurchaseLog(nothing, nothing, nothing))
    np.testing.assert_allclose(lifts_of(counted)["colour_group_name"], 1.0, rtol=1e-6)


def test_what_is_bought_again_is_known_of_the_article_and_a_rare_article_leans_on_its_department() -> None:
    repeats = repeats_of(with_counts(ARTICLES, log(*((c, 4, a) for c in range(100) for a in (4, 2)), (500, 0, 3))))
    # All of article 4's purchases of four days ago were repeated; those of two days ago, the last day, do not count.
    assert repeats.rate[4] > 0.9
    assert repeats.rate[5] > 0.9  # never sold, of the same department
    assert repeats.rate[0] < repeats.rate[4]


def test_two_pieces_on_one_day_are_no_repeat() -> None:
    repeats = repeats_of(with_counts(ARTICLES, log((0, 0, 3), (0, 0, 3), (1, 1, 2))))
    assert (repeats.rate == 0).all()


def test_another_colour_is_a_repeat_of_the_product_only() -> None:
    repeats = repeats_of(with_counts(ARTICLES, log((0, 0, 3), (0, 1, 2))))
    assert (repeats.rate == 0).all()
    assert repeats.product_rate[0] == repeats.product_rate[1] > 0


def test_counts_come_back_from_their_files(tmp_path: Path) -> None:
    written = table()
    written.save(tmp_path)
    read = ArticleTable.load(tmp_path)
    for field in fields(RepeatPurchases):
        np.testing.assert_array_equal(getattr(repeats_of(read), field.name), getattr(repeats_of(written), field.name))
    for name in LIFT_CATEGORIES:
        np.testing.assert_array_equal(lifts_of(read)[name], lifts_of(written)[name])
    ARTICLES.save(tmp_path / "without")
    without = ArticleTable.load(tmp_path / "without")
    assert (without.co_occurrence, without.repeat_purchases) == (None, None)


def test_the_features_see_the_last_basket_apart_from_older_purchases() -> None:
    values = columns(table(), ("0000000001", 1), ("0000000005", 9))
    assert values["last_basket"].tolist() == [1] * 6
    assert values["in_last_basket"].tolist() == [True, False, False, False, False, False]
    assert values["product_in_last_basket"].tolist() == [True, True, False, False, False, False]
    assert values["days_since_department"].tolist() == [1, 1, NEVER_DAYS_OF_DEPARTMENT, NEVER_DAYS_OF_DEPARTMENT, 9, 9]
    lift, last = values["lift_department_name"], values["last_basket_lift_department_name"]
    assert last[2] > lift[2] > 0  # trousers go with the shirt of yesterday, not with the socks


def test_a_purchase_of_today_joins_yesterdays_basket() -> None:
    today, yesterday = (columns(table(), ("0000000001", ago), ("0000000003", 1)) for ago in (0, 1))
    for name, values in today.items():
        np.testing.assert_array_equal(values, yesterday[name], err_msg=name)


def test_the_features_tell_what_is_bought_again_on_a_visit() -> None:
    values = columns(table(), ("0000000001", 1))
    odds, chance = values["kinds_rebuy_odds"], values["visit_rebuy_chance"]
    assert odds[4] == odds[5] > odds[0] == odds[1]  # socks are, shirts are not
    assert chance[4] > np.log(0.9) > np.log(0.1) > chance[0]


def test_shares_of_sales_add_up_and_follow_the_live_columns() -> None:
    articles = table()
    before = columns(articles)
    np.testing.assert_allclose(before["department_share_of_shop"][[0, 2, 4]], [9 / 12, 3 / 12, 0])
    assert before["product_units_3d"].tolist() == [9, 9, 2, 1, 0, 0]
    row = articles.activity[[4]].copy()
    row[:] = 12
    articles.update_activity(np.asarray([4], np.int32), row)
    assert columns(articles)["department_share_of_shop"][4] == pytest.approx(0.5)


def test_without_purchases_or_counts_the_columns_are_missing_or_zero() -> None:
    stranger, unfitted = columns(table()), columns(ARTICLES, ("0000000001", 1))
    assert np.isnan(stranger["lift_department_name"]).all()
    assert (stranger["in_last_basket"] == 0).all()
    assert np.isnan(unfitted["lift_department_name"]).all()
    assert np.isnan(unfitted["rebuy_rate"]).all()
    assert np.isnan(unfitted["kinds_rebuy_odds"]).all()
    assert unfitted["in_last_basket"].tolist() == [True, False, False, False, False, False]
