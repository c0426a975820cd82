"""The ranker's customers are seen through towers that were trained on others."""

from __future__ import annotations

import numpy as np

from tests.towers.tower_worlds import FIRST_DAY, VOCABULARIES, catalogue, purchases_of_two_styles, snapshot_on
from towers.data.folds import FOLDS, all_but, fold, fold_of
from towers.models.article_encoder import EncoderSize
from towers.models.two_stage import TwoStageConfig
from towers.training.fitted_towers import fit_towers
from towers.training.fitting import held_out_baskets, in_folds
from towers.training.tower_trainer import TowerTraining

SMALL = TwoStageConfig(embedding_dim=8, query_hidden=(8,), candidate_hidden=(8,), encoder=EncoderSize(content_dim=8))
SHORT = TowerTraining(epochs=1, least_steps=4, batch_size=64)


def test_every_customer_is_in_one_fold_of_about_the_same_size() -> None:
    snapshot = snapshot_on(catalogue(), FIRST_DAY + 3, purchases_of_two_styles())
    parts = [fold(snapshot, number) for number in range(FOLDS)]
    assert sum(len(part.customers) for part in parts) == len(snapshot.customers)
    for number, part in enumerate(parts):
        assert {fold_of(customer.customer_id) for customer in part.customers} == {number}
        others = {customer.customer_id for customer in all_but(snapshot, number).customers}
        assert others == {c.customer_id for c in snapshot.customers} - {c.customer_id for c in part.customers}
    sizes = np.bincount([fold_of(f"{number:064x}") for number in range(10_000)], minlength=FOLDS)
    assert abs(sizes / 10_000 - 1 / FOLDS).max() < 0.02


def test_what_a_fold_buys_does_not_change_the_towers_that_it_is_seen_through() -> None:
    shop, purchases = catalogue(), purchases_of_two_styles()
    days = [snapshot_on(shop, FIRST_DAY + day, purchases) for day in (3, 4)]
    # The same days, on which nobody of the first fold came.
    fewer = [all_but(day, 0) for day in days]
    towers, without = (fit_towers(each, shop, VOCABULARIES, SMALL, SHORT) for each in (days, fewer))
    np.testing.assert_array_equal(towers.out_of_fold[0].content, without.served.content)
    assert not np.array_equal(towers.out_of_fold[1].content, without.served.content)
    assert not np.array_equal(towers.served.content, without.served.content)
    assert fit_towers(fewer, shop, VOCABULARIES, SMALL, SHORT, towers.out_of_fold).out_of_fold is towers.out_of_fold

    cases = in_folds(days, towers)
    baskets = held_out_baskets(cases, 60, np.random.default_rng(1))
    assert {customer.customer_id for case in cases for customer in case.snapshot.customers} == {
        customer.customer_id for day in days for customer in day.customers
    }
    assert baskets
    for case in (*cases, *baskets):
        numbers = {fold_of(customer.customer_id.removesuffix(", basket")) for customer in case.snapshot.customers}
        assert [towers.out_of_fold[number] for number in numbers] == [case.towers]


def test_a_log_of_one_fold_is_seen_through_the_towers_that_are_served() -> None:
    shop, purchases = catalogue(), purchases_of_two_styles()
    only = fold(snapshot_on(shop, FIRST_DAY + 3, purchases), 1)
    towers = fit_towers([only], shop, VOCABULARIES, SMALL, SHORT)
    assert towers.out_of_fold[1] is towers.served
    assert towers.out_of_fold[0] is not towers.served
