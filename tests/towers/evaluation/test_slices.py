"""Slices of the shop of two styles, against plain loops over its customers."""

from __future__ import annotations

import numpy as np
import pytest

from serving.retrieval.customer import Customer
from tests.towers.tower_worlds import FIRST_DAY, catalogue, purchases_of_two_styles, snapshot_on
from towers.data.snapshot import Snapshot
from towers.evaluation import slices
from towers.evaluation.slices import Slice, make_slices, new_products


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    shop, purchases = catalogue(), purchases_of_two_styles()
    return snapshot_on(shop, FIRST_DAY + 2, purchases)


def wanted(part: Slice) -> list[tuple[int, int]]:
    """(case, article) of all targets of a slice."""
    cases = part.cases[part.targets.cases]
    return list(zip(cases.tolist(), part.targets.articles.tolist(), strict=True))


def loop(snapshot: Snapshot) -> list[tuple[int, Customer, int]]:
    offsets = snapshot.targets.offsets
    return [
        (case, customer, int(article))
        for case, customer in enumerate(snapshot.customers)
        for article in snapshot.targets.articles[offsets[case] : offsets[case + 1]]
    ]


def test_warm_and_cold_share_all_customers_among_them(snapshot: Snapshot) -> None:
    made = make_slices(snapshot)
    assert wanted(made["warm"]) == [(c, a) for c, customer, a in loop(snapshot) if customer.has_history]
    assert wanted(made["cold"]) == [(c, a) for c, customer, a in loop(snapshot) if not customer.has_history]
    assert len(made["warm"]) + len(made["cold"]) == len(made["all"]) == len(snapshot.customers)


def test_new_products_are_of_no_product_bought_before(snapshot: Snapshot) -> None:
    product = snapshot.articles.product
    expected = [
        (case, article)
        for case, customer, article in loop(snapshot)
        if customer.has_history and product[article] not in {product[bought] for bought in customer.bought}
    ]
    assert wanted(make_slices(snapshot)["new_products"]) == expected
    assert 0 < len(expected) < len(loop(snapshot))
    assert new_products(snapshot).shape == snapshot.targets.articles.shape


def test_cold_articles_sold_five_times_at_most(snapshot: Snapshot) -> None:
    units = snapshot.articles.sales_column("units")
    expected = [(c, a) for c, customer, a in loop(snapshot) if customer.has_history and units[a] <= 5]
    part = make_slices(snapshot)["cold_articles"]
    assert wanted(part) == expected
    assert snapshot.targets.articles[part.rows].tolist() == part.targets.articles.tolist()


def test_age_bands_are_of_customers_with_history(snapshot: Snapshot) -> None:
    expected = [
        (c, a)
        for c, customer, a in loop(snapshot)
        if customer.has_history and 25 <= customer.number("customer_profile:age") < 35
    ]
    part = Slice.of(
        "age",
        "",
        snapshot.targets,
        next(mask for name, _, mask in slices._wanted(snapshot) if name == "age_25_to_34"),
    )
    assert wanted(part) == expected


def test_a_slice_too_small_to_tell_anything_is_left_out(snapshot: Snapshot) -> None:
    few = snapshot.take(np.arange(12))
    assert set(make_slices(few)) <= {"warm", "cold", "all"}


def test_slices_of_several_days_are_those_of_each_day_one_behind_the_other(snapshot: Snapshot) -> None:
    other = snapshot_on(catalogue(), FIRST_DAY + 3, purchases_of_two_styles())
    both = make_slices(snapshot, other)
    for name in ("warm", "new_products", "cold_articles", "age_25_to_34"):
        first, second = (
            Slice.of(name, "", day.targets, next(mask for n, _, mask in slices._wanted(day) if n == name))
            for day in (snapshot, other)
        )
        shift = len(snapshot.customers)
        assert wanted(both[name]) == wanted(first) + [(case + shift, article) for case, article in wanted(second)]
        targets = len(snapshot.targets.articles)
        assert both[name].rows.tolist() == [*first.rows, *(second.rows + targets)]
