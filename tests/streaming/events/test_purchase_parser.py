"""The short cut reads what the careful reader reads, and nothing that it refuses."""

from __future__ import annotations

import json
import re

from hypothesis import given
from hypothesis import strategies as st

from feature_repo.events.purchase import Purchase
from feature_repo.events.rules import BadEventError, parse_purchase, purchase_event
from infra.base.calendar import DAY_MICROS
from streaming.events.purchase_parser import PurchaseParser
from tests.streaming.worlds import DAY

GOOD = purchase_event("20200920-000000017", DAY * DAY_MICROS + 17, "anna", "0108775015", 25_400, 2)
LATEST_US = 60_000 * DAY_MICROS
ARTICLES = {"0108775015", "0"}
BYTES = list(range(256))


def both(data: bytes) -> tuple[Purchase | str, Purchase | str]:
    answers: list[Purchase | str] = []
    for read in (
        lambda: PurchaseParser(ARTICLES).parse(data, 1, 2, LATEST_US),
        lambda: parse_purchase(data, 1, 2, ARTICLES, LATEST_US),
    ):
        try:
            answers.append(read())
        except BadEventError as error:
            answers.append(str(error))
    return answers[0], answers[1]


def test_our_own_events_take_the_short_cut() -> None:
    short, careful = both(GOOD)
    assert short == careful
    assert isinstance(short, Purchase)


@given(
    position=st.integers(0, len(GOOD) - 1),
    replacement=st.binary(max_size=3),
    length=st.integers(0, 3),
    spaced=st.booleans(),
)
def test_damaged_events_are_read_alike(position: int, replacement: bytes, length: int, spaced: bool) -> None:
    data = GOOD if not spaced else json.dumps(json.loads(GOOD)).encode()
    short, careful = both(data[:position] + replacement + data[position + length :])
    assert short == careful


@given(
    at=st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", fullmatch=True),
    price=st.from_regex(r"-?[0-9]{1,10}(\.[0-9]{1,18})?(e[+-]?[0-9]{1,3})?", fullmatch=True),
    channel=st.from_regex(r"[0-9]{1,2}(\.0)?", fullmatch=True),
    customer=st.text(max_size=5),
)
def test_dates_prices_and_channels_are_read_alike(at: str, price: str, channel: str, customer: str) -> None:
    data = re.sub(rb'"occurred_at":"[^"]*"', b'"occurred_at":"' + at.encode() + b'"', GOOD)
    data = data.replace(b'"price":0.0254', b'"price":' + price.encode())
    data = data.replace(b'"sales_channel_id":2', b'"sales_channel_id":' + channel.encode())
    data = data.replace(b'"anna"', json.dumps(customer).encode())
    short, careful = both(data)
    assert short == careful
