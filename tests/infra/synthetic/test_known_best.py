"""A drawn shop hands evaluation its best rankings, opened when they are asked."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from infra.synthetic.known_best import known_best
from infra.synthetic.observer import Observer
from infra.synthetic.oracle import Oracle
from infra.synthetic.shop import ShopSize, write_shop
from towers.evaluation.known_best import OBSERVER, ORACLE


def test_the_rows_are_those_of_evaluation_and_open_the_shop(tmp_path: Path) -> None:
    world = write_shop(
        ShopSize(customers=100, articles=100, days=61, purchases=2_000, pictures=False), tmp_path / "shop"
    )
    rows = known_best(tmp_path / "shop")
    assert list(rows) == [OBSERVER, ORACLE]
    oracle = rows[ORACLE]()
    assert isinstance(oracle, Oracle)
    assert rows[ORACLE]() is oracle
    assert isinstance(rows[OBSERVER](), Observer)
    customer = str(oracle.world.customers.customer_ids[0])
    (best,) = oracle.rank([customer], world.first_day + timedelta(days=60), 5)
    assert len(best) == 5


def test_nothing_is_opened_before_it_is_asked(tmp_path: Path) -> None:
    rows = known_best(tmp_path / "nowhere")
    with pytest.raises(Exception, match="nowhere"):
        rows[ORACLE]()
