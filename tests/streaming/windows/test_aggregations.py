"""Each aggregation in a world small enough to see the answer; all of them: order does not matter, expiry is exact."""

from __future__ import annotations

from dataclasses import replace
from operator import attrgetter
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.events.purchase import Purchase
from infra.base.calendar import DAY_MICROS
from streaming.events.purchase_columns import PurchaseColumns
from streaming.windows.aggregations.aggregation import Aggregation
from streaming.windows.aggregations.day_totals import DayTotals, Totals
from streaming.windows.aggregations.distinct import Distinct
from streaming.windows.aggregations.event_ids import EventIds
from streaming.windows.aggregations.latest_purchases import LatestPurchases
from tests.streaming.windows.online_spend import OnlineSpend
from tests.streaming.worlds import DAY, purchase

ALL: dict[str, Aggregation[Any]] = {
    "totals": DayTotals(),
    "distinct": Distinct(attrgetter("article_id")),
    "latest": LatestPurchases(3),
    "event ids": EventIds(),
    "the recipe's example": OnlineSpend(),
}


def fold(aggregation: Aggregation[Any], purchases: list[Purchase]) -> Any:
    state = aggregation.initialize()
    aggregation.add(state, purchases)
    return state


MONDAY, TUESDAY, WEDNESDAY = DAY, DAY + 1, DAY + 2
# Monday a coat and socks, Tuesday the coat again, Wednesday a hat.
WEEK = [
    purchase("anna", "coat", MONDAY, price_micros=100, event_id="a"),
    purchase("anna", "socks", MONDAY, price_micros=5, at_us=9, event_id="b"),
    purchase("anna", "coat", TUESDAY, price_micros=90, event_id="c"),
    purchase("anna", "hat", WEDNESDAY, price_micros=20, event_id="d"),
]


@pytest.mark.parametrize(
    ("name", "from_monday", "from_tuesday"),
    [
        (
            "totals",
            Totals(days=3, purchases=4, spend_micros=215, online=4, last_us=WEDNESDAY * DAY_MICROS),
            Totals(days=2, purchases=2, spend_micros=110, online=2, last_us=WEDNESDAY * DAY_MICROS),
        ),
        ("distinct", 3, 2),
        ("event ids", 4, 2),
    ],
)
def test_the_value_of_a_week(name: str, from_monday: Any, from_tuesday: Any) -> None:
    aggregation = ALL[name]
    state = fold(aggregation, WEEK)
    assert aggregation.value(state, MONDAY) == from_monday
    assert aggregation.value(state, TUESDAY) == from_tuesday


def test_the_latest_purchases_are_the_newest_by_instant_and_then_by_event_id() -> None:
    latest = LatestPurchases(3)
    state = fold(latest, WEEK)
    assert latest.value(state, MONDAY).articles == ["hat", "coat", "socks"]
    assert latest.value(state, TUESDAY) == (["hat", "coat"], [WEDNESDAY * DAY_MICROS, TUESDAY * DAY_MICROS])


def test_a_coat_bought_again_stays_distinct_until_its_last_day_leaves() -> None:
    distinct = Distinct(attrgetter("article_id"))
    state = fold(distinct, WEEK)
    distinct.expire(state, TUESDAY)
    assert distinct.value(state, TUESDAY) == 2
    distinct.expire(state, WEDNESDAY)
    assert distinct.value(state, WEDNESDAY) == 1
    assert state[0] == {"hat": WEDNESDAY}


PURCHASES = st.lists(
    st.builds(
        lambda article, day, at_us, price: purchase("anna", article, DAY + day, at_us=at_us, price_micros=price),
        st.sampled_from("abc"), st.integers(0, 9), st.integers(0, 5), st.integers(0, 99),
    ),
    max_size=12,
).map(lambda found: [p._replace(event_id=f"e{n}") for n, p in enumerate(found)])  # fmt: skip


@pytest.mark.parametrize("name", ALL)
@given(purchases=PURCHASES, data=st.data())
def test_the_order_of_arrival_does_not_matter_and_expiry_forgets_only_what_is_older(
    name: str, purchases: list[Purchase], data: st.DataObject
) -> None:
    aggregation = ALL[name]
    shuffled = data.draw(st.permutations(purchases))
    first_day = DAY + data.draw(st.integers(0, 10))
    cut = data.draw(st.integers(0, len(shuffled)))
    state = fold(aggregation, list(shuffled[:cut]))
    aggregation.expire(state, first_day)
    aggregation.add(state, [p for p in shuffled[cut:] if p.day >= first_day])
    fresh = fold(aggregation, [p for p in purchases if p.day >= first_day])
    assert aggregation.value(state, first_day) == aggregation.value(fresh, first_day)
    assert aggregation.value(fold(aggregation, purchases), first_day) == aggregation.value(fresh, first_day)


@pytest.mark.parametrize("name", [name for name, aggregation in ALL.items() if hasattr(aggregation, "column")])
@given(windows=st.lists(st.tuples(PURCHASES.filter(bool), PURCHASES, st.integers(0, 10)), min_size=1, max_size=5))
def test_by_columns_every_window_has_its_value(
    name: str, windows: list[tuple[list[Purchase], list[Purchase], int]]
) -> None:
    aggregation: Any = ALL[name]
    new = [purchases for purchases, _, _ in windows]
    old = [[p._replace(event_id=f"o{p.event_id}") for p in purchases] for _, purchases, _ in windows]
    numbers = [number for number, purchases in enumerate(old) if purchases]
    columns = PurchaseColumns.of(new)
    others = PurchaseColumns.of([old[number] for number in numbers] or [new[0]])
    others = replace(others, owner=np.array(numbers or [0])[others.owner])
    if not numbers:
        others = others.take(np.zeros(len(others), np.bool_))
    first_days = [DAY + first_day for _, _, first_day in windows]
    found = aggregation.column(others.join(columns), np.array(first_days))
    for number, first_day in enumerate(first_days):
        expected = aggregation.value(fold(aggregation, new[number] + old[number]), first_day)
        assert _plain(found, number) == _plain(expected), (name, number)


def _plain(value: Any, row: int | None = None) -> Any:
    """A value, or a row of columns, in Python's own types."""
    if isinstance(value, tuple):
        return [_plain(part, row) for part in value]
    if row is not None:
        value = value[row].as_py() if isinstance(value, pa.Array) else value[row].item()
    return [part.decode() if isinstance(part, bytes) else part for part in value] if isinstance(value, list) else value
