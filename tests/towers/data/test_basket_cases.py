"""First baskets cut in two: a history that is consistent with itself, and targets that it does not give away."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from serving.ranking.ranking_inputs import NEVER_DAYS
from tests.towers.tower_worlds import FIRST_DAY, catalogue, purchases_of_two_styles, snapshot_on, style_of
from towers.data.heldout_baskets import join_baskets, split_baskets
from towers.data.ranking_set import RankingSet
from towers.data.snapshot import Snapshot
from towers.data.targets import Targets

COLUMNS = ("days_since_last_purchase", "product_times_bought", "taste")


@cache
def day() -> Snapshot:
    """The second day of the shop of two styles: about half of its customers bought on the first."""
    return snapshot_on(catalogue(), FIRST_DAY + 1, purchases_of_two_styles(customers=200))


def cut(limit: int = 1_000, seed: int = 1) -> Snapshot:
    return split_baskets(day(), limit, np.random.default_rng(seed))


def test_a_basket_is_cut_into_a_history_and_targets_of_other_products() -> None:
    snapshot = cut()
    product = snapshot.articles.product
    assert len(snapshot.customers) == len(snapshot.targets) > 20
    for case, customer in enumerate(snapshot.customers):
        wanted = snapshot.targets.articles[snapshot.targets.offsets[case] : snapshot.targets.offsets[case + 1]]
        assert customer.has_history
        assert len(wanted)
        assert not np.isin(product[wanted], product[customer.bought]).any()
        assert {style_of(article) for article in (*wanted, *customer.bought)} <= {0, 1}
        assert len({style_of(article) for article in (*wanted, *customer.bought)}) == 1


def test_only_strangers_are_cut_and_the_day_is_left_as_it_was() -> None:
    strangers = {c.customer_id for c in day().customers if not c.has_history}
    names = [customer.customer_id.removesuffix(", basket") for customer in cut().customers]
    assert set(names) <= strangers
    assert len(set(names)) == len(names)
    assert not any(c.has_history for c in day().customers if c.customer_id in strangers)


def test_the_history_says_the_same_in_every_feature() -> None:
    for customer in cut().customers:
        bought = len(customer.bought)
        assert customer.number("customer_history:purchases") == bought
        assert customer.number("customer_activity_30d:purchases") == bought
        assert customer.number("customer_history:spend_micros") == 20_000 * bought
        assert customer.number("customer_history:spend_mean_micros") == 20_000
        assert (customer.bought_last_day == customer.number("customer_history:last_purchase_day")).all()
        assert sorted(customer.recent.tolist()) == sorted(customer.bought.tolist())
        weekday = np.argmax(customer.values["customer_history:weekday_shares"])
        assert weekday == (customer.bought_last_day[0] + 3) % 7  # 1970-01-01 was a Thursday


def test_the_gap_is_that_of_customers_who_did_come_back() -> None:
    assert {customer.today - int(customer.bought_last_day[0]) for customer in cut().customers} == {1}


def test_the_limit_holds_and_the_seed_decides_who_is_drawn() -> None:
    names = [[customer.customer_id for customer in cut(5, seed).customers] for seed in (1, 1, 2)]
    assert len(names[0]) == 5
    assert names[0] == names[1] != names[2]


def test_nothing_is_cut_where_nobody_came_back_or_nobody_bought_two_products() -> None:
    everybody = day()
    strangers = everybody.take(np.flatnonzero(~everybody.warm))
    assert not split_baskets(strangers, 10, np.random.default_rng(1)).customers
    single = replace(everybody, targets=Targets.from_lists([[0]] * len(everybody.customers)))
    assert not split_baskets(single, 10, np.random.default_rng(1)).customers


def rows(bought: list[int], kept_share: float, last: float = 2.0, product_times: float = 0.0) -> RankingSet:
    features = np.tile(np.array([last, product_times, 1.0], np.float32), (len(bought), 1))
    share = np.full(len(bought), kept_share, np.float32)
    return RankingSet(features, np.array(bought, np.bool_), share, np.array([len(bought)], np.int32))


def joined(*parts: RankingSet) -> RankingSet:
    names = ("features", "bought", "kept_share", "case_rows")
    return RankingSet(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def test_baskets_weigh_as_if_they_bought_as_rarely_as_real_customers() -> None:
    usual = rows([1, *[0] * 9], kept_share=0.1)  # 1 of 91 candidates
    again = rows([1] * 10, kept_share=1.0, product_times=1.0)  # what was bought before does not count
    stranger = rows([1] * 10, kept_share=1.0, last=NEVER_DAYS)
    baskets = rows([1, 0], kept_share=0.5)  # 1 of 3
    together = join_baskets(joined(usual, again, stranger), baskets, COLUMNS)
    np.testing.assert_allclose(together.kept_share[-2:], 0.5 / ((1 / 3) / (1 / 91)), rtol=1e-5)
    np.testing.assert_array_equal(together.kept_share[:10], usual.kept_share)
    assert together.case_rows.tolist() == [10, 10, 10, 2]
    assert len(together) == 32


def test_where_no_real_customer_bought_anything_new_baskets_stay_as_they_are() -> None:
    together = join_baskets(rows([0, 0], kept_share=0.5), rows([1, 0], kept_share=0.5), COLUMNS)
    np.testing.assert_allclose(together.kept_share, 0.5)
