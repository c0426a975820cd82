"""The observer stands above popularity and below the oracle, and the nearer to it the more it has seen."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from infra.base.errors import UserError
from infra.synthetic.observer import Observer
from infra.synthetic.oracle import Oracle
from infra.synthetic.shop import ShopSize, write_shop

DAYS = 60
FIRST_DAY = date(2020, 7, 1)
LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)


@pytest.fixture(scope="module")
def oracle(tmp_path_factory: pytest.TempPathFactory) -> Oracle:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(ShopSize(300, 300, DAYS, 9_000, FIRST_DAY, seed=3, pictures=False), folder)
    return Oracle.open(folder)


def agreement(oracle: Oracle, customers: list[str], day: date) -> tuple[float, float]:
    """Expected purchases among the observer's and among the best sellers' first 10, as shares of the oracle's."""
    expected = np.concatenate(list(oracle.expected_purchases(customers, day)))
    number = (day - FIRST_DAY).days
    _, articles, _ = oracle.purchases_before(number)
    popular = np.argsort(-np.bincount(articles, minlength=expected.shape[1]))[:10]
    place = {article_id: position for position, article_id in enumerate(oracle.world.catalogue.article_ids)}
    observed = [[place[article_id] for article_id in ids] for ids in Observer(oracle).rank(customers, day, 10)]
    best = np.sort(expected, axis=1)[:, -10:].sum()
    return float(np.take_along_axis(expected, np.array(observed), 1).sum() / best), float(
        expected[:, popular].sum() / best
    )


def regulars(oracle: Oracle) -> list[str]:
    customers, _, _ = oracle.purchases_before(DAYS - 1)
    return oracle.world.customers.customer_ids[np.argsort(-np.bincount(customers, minlength=300))[:60]].tolist()


def test_it_ranks_nearly_as_well_as_the_oracle_and_far_better_than_popularity(oracle: Oracle) -> None:
    observed, popular = agreement(oracle, regulars(oracle), LAST_DAY)
    assert popular + 0.15 < observed < 0.99


def test_it_learns_from_what_it_sees(oracle: Oracle) -> None:
    customers = regulars(oracle)
    early, _ = agreement(oracle, customers, FIRST_DAY + timedelta(days=2))
    late, _ = agreement(oracle, customers, LAST_DAY)
    assert early + 0.05 < late


def test_a_customer_without_purchases_gets_the_taste_of_the_population(oracle: Oracle) -> None:
    customers = oracle.world.customers.customer_ids[:5].tolist()
    lists = Observer(oracle).rank(customers, FIRST_DAY, 10)
    assert all(ids.tolist() == lists[0].tolist() for ids in lists)


def test_it_does_not_see_the_day_it_ranks_for(oracle: Oracle, tmp_path: Path) -> None:
    customers = regulars(oracle)[:10]
    ranked = Observer(oracle).rank(customers, LAST_DAY, 10)
    header, *rows = (oracle.data_dir / "transactions_train.csv").read_text().splitlines()
    before = [row for row in rows if row.split(",")[0] < str(LAST_DAY)]
    assert len(before) < len(rows)
    (tmp_path / "transactions_train.csv").write_text("\n".join([header, *before]))
    again = Observer(Oracle(oracle.world, tmp_path)).rank(customers, LAST_DAY, 10)
    assert [ids.tolist() for ids in ranked] == [ids.tolist() for ids in again]


def test_unknown_customers_are_refused(oracle: Oracle) -> None:
    with pytest.raises(UserError, match="is not of this synthetic shop"):
        Observer(oracle).rank(["nobody"], LAST_DAY, 10)
