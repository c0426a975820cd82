"""Good events are read to the last microsecond; bad ones are refused with field, value and what was expected."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feature_repo.events.rules import (
    BadEventError,
    instant_text,
    parse_availability,
    parse_interaction,
    parse_purchase,
    purchase_event,
)
from infra.base.calendar import DAY_MICROS
from tests.streaming.worlds import DAY

GOOD = {
    "event_id": "20200920-000000017",
    "occurred_at": "2020-09-20T00:00:00.000017Z",
    "customer_id": "anna",
    "article_id": "0108775015",
    "price": 0.0254,
    "sales_channel_id": 2,
}


def event(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


def test_a_good_purchase() -> None:
    found = parse_purchase(event(extra="ignored"), partition=3, offset=14)
    assert (found.event_id, found.customer_id, found.article_id) == ("20200920-000000017", "anna", "0108775015")
    assert (found.day, found.occurred_at_us) == (DAY, DAY * DAY_MICROS + 17)
    assert (found.price_micros, found.sales_channel_id, found.partition, found.offset) == (25_400, 2, 3, 14)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (None, "the event is empty; expected a JSON object"),
        (b"", "the event is empty; expected a JSON object"),
        (b"{", "not JSON: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)"),
        (b"\xff", "not JSON: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"[1]", "the event is [1]; expected a JSON object"),
        (b'{"price": NaN}', "not JSON: NaN is not a JSON number"),
        (b" " * 10_000_000, "the event has 10,000,000 bytes; expected at most 65,536"),
        (event(price=-1), "field 'price' holds -1; expected a price from 0 to 1,000,000,000"),
        (event(price="1.5"), "field 'price' holds \"1.5\"; expected a number, in the currency's unit"),
        (event(price=True), "field 'price' holds true; expected a number, in the currency's unit"),
        (event(price=10**400), f"field 'price' holds 1{'0' * 79}...; expected a price from 0 to 1,000,000,000"),
        (event(sales_channel_id=3), "field 'sales_channel_id' holds 3; expected 1 (store) or 2 (online)"),
        (event(article_id="9"), "field 'article_id' holds \"9\"; expected an article of the catalogue"),
        (event(customer_id=7), "field 'customer_id' holds 7; expected a text"),
        (event(customer_id=""), "field 'customer_id' holds \"\"; expected a text"),
        (event(event_id="\ud800"), "field 'event_id' holds \"\\ud800\"; expected a text of valid characters"),
        (
            event(occurred_at="2020-09-20"),
            "field 'occurred_at' holds \"2020-09-20\"; "
            "expected a time since 1970 with its zone, such as 2020-09-20T14:30:00Z",
        ),
        (
            event(occurred_at="2021-09-20T00:00:00Z"),
            "field 'occurred_at' holds \"2021-09-20T00:00:00Z\"; "
            "expected nothing from the future; it is 2020-09-21T00:00:00.000000Z at most",
        ),
    ],
)
def test_a_bad_purchase_says_what_is_wrong(data: bytes | None, reason: str) -> None:
    with pytest.raises(BadEventError) as error:
        parse_purchase(data, 0, 0, known_articles={"0108775015"}, latest_us=(DAY + 1) * DAY_MICROS)
    assert str(error.value) == reason


def test_a_missing_field_is_named() -> None:
    with pytest.raises(BadEventError, match="field 'event_id' is missing; expected a text"):
        parse_purchase(json.dumps({k: v for k, v in GOOD.items() if k != "event_id"}).encode(), 0, 0)


@given(st.binary(max_size=60))
def test_no_bytes_crash_the_reader(data: bytes) -> None:
    for read in (lambda: parse_purchase(data, 0, 0), lambda: parse_interaction(data), lambda: parse_availability(data)):
        with pytest.raises(BadEventError):
            read()


@given(st.text(min_size=1, max_size=20), st.integers(0, 4_000_000_000_000_000), st.integers(0, 10**15))
def test_what_the_producer_writes_is_read_back(identifier: str, at_us: int, price_micros: int) -> None:
    if not identifier.isascii():
        identifier = identifier.encode("ascii", "backslashreplace").decode()
    data = purchase_event(identifier, at_us, identifier, identifier, price_micros, 1)
    found = parse_purchase(data, 0, 0)
    assert (found.event_id, found.customer_id, found.article_id) == (identifier,) * 3
    assert (found.occurred_at_us, found.price_micros) == (at_us, price_micros)


def test_nothing_of_any_kind_is_from_the_future_or_before_1970() -> None:
    """A stock of 2099 would stand for ever: the latest word on an article wins."""
    told = {**GOOD, "kind": "click", "in_stock": True}
    latest_us = (DAY + 1) * DAY_MICROS
    for read in (
        lambda data: parse_purchase(data, 0, 0, latest_us=latest_us),
        lambda data: parse_interaction(data, latest_us=latest_us),
        lambda data: parse_availability(data, latest_us=latest_us),
    ):
        assert read(json.dumps(told | {"occurred_at": instant_text(latest_us)}).encode()).occurred_at_us == latest_us
        with pytest.raises(BadEventError, match="expected nothing from the future; it is 2020-09-21T00:00:00"):
            read(json.dumps(told | {"occurred_at": instant_text(latest_us + 1)}).encode())
        with pytest.raises(BadEventError, match="expected a time since 1970"):
            read(json.dumps(told | {"occurred_at": "1969-12-31T23:59:59Z"}).encode())


def test_interactions_and_stock() -> None:
    told = {"event_id": "i1", "occurred_at": "2020-09-20T10:00:00+02:00", "customer_id": "anna", "kind": "click"}
    interaction = parse_interaction(json.dumps(told | {"article_id": "0108775015", "position": 3}).encode())
    assert (interaction.kind, interaction.position, interaction.release) == ("click", 3, None)
    assert instant_text(interaction.occurred_at_us) == "2020-09-20T08:00:00.000000Z"
    with pytest.raises(BadEventError, match="field 'kind' holds \"stare\"; expected impression or click or cart"):
        parse_interaction(json.dumps(told | {"kind": "stare"}).encode())
    stock = {"event_id": "s1", "occurred_at": "2020-09-20T10:00:00Z", "article_id": "0108775015", "in_stock": False}
    assert parse_availability(json.dumps(stock).encode()).in_stock is False
    with pytest.raises(BadEventError, match="field 'in_stock' holds 0; expected true or false"):
        parse_availability(json.dumps(stock | {"in_stock": 0}).encode())
