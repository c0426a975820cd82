"""A page token comes back whole, to the customer it was given to, or is refused in a sentence."""

from __future__ import annotations

import base64
import json
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.gateway.requests import InvalidRequest, Request
from serving.gateway.stages.pages import DEEPEST_ARTICLE, FIRST_PAGE, BadToken, EarlierPages
from serving.proto import recommender_pb2 as pb
from serving.retrieval.customer import Customer
from tests.serving.retrieval_worlds import shop

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40)


def customer(*purchases: tuple[str, int]) -> Customer:
    """Who has bought these (article, microseconds) on the stream, newest first."""
    values = {
        "customer_activity_30d:purchases": len(purchases),
        "customer_activity_30d:articles": [article_id for article_id, _ in purchases],
        "customer_activity_30d:articles_at": [at_us for _, at_us in purchases],
    }
    return Customer.from_values("anna", values, shop([1.0]), 18_525)


def packed(content: object, format_: str = "1.") -> str:
    return format_ + base64.urlsafe_b64encode(zlib.compress(json.dumps(content).encode())).decode()


@given(st.lists(texts, max_size=60), st.lists(st.tuples(texts, st.integers(0, 2**60)), max_size=20), texts)
def test_a_token_comes_back_whole(article_ids, purchases, customer_id):
    pages = FIRST_PAGE.continued(article_ids, customer(*purchases))
    assert EarlierPages.from_token(pages.to_token(customer_id), customer_id) == pages


@given(st.one_of(texts, st.binary(max_size=60).map(lambda data: "1." + base64.urlsafe_b64encode(data).decode())))
def test_no_text_crashes_the_reader(token):
    with pytest.raises(BadToken):
        EarlierPages.from_token(token, "anna")


@given(st.data())
def test_a_damaged_token_is_refused(data):
    token = FIRST_PAGE.continued([f"{number:010d}" for number in range(12)], customer()).to_token("anna")
    cut = data.draw(st.integers(0, len(token) - 1))
    with pytest.raises(BadToken, match="is none of a gateway's; give next_page_token of the page before as it came"):
        EarlierPages.from_token(token[:cut], "anna")


@pytest.mark.parametrize(
    "content",
    [
        None,
        [],
        ["owner", None],
        ["owner", None, [7]],
        ["owner", [7], []],
        ["owner", None, "12"],
        [7, None, []],
        ["owner", None, ["1"] * DEEPEST_ARTICLE],
    ],
)
def test_well_packed_nonsense_is_refused(content):
    with pytest.raises(BadToken, match="is none of a gateway's"):
        EarlierPages.from_token(packed(content), "anna")


def test_a_token_that_would_fill_the_memory_is_refused():
    bomb = "1." + base64.urlsafe_b64encode(zlib.compress(b"[" * 100_000_000)).decode()
    with pytest.raises(BadToken, match="is none of a gateway's"):
        EarlierPages.from_token(bomb, "anna")


def test_a_token_of_another_form_is_refused():
    token = FIRST_PAGE.to_token("anna")
    with pytest.raises(BadToken, match="or none for the first page"):
        EarlierPages.from_token("2." + token[2:], "anna")


def test_a_request_says_what_is_wrong_with_its_token():
    token = FIRST_PAGE.to_token("anna")
    assert Request.from_proto(pb.RecommendRequest(customer_id="anna", page_token=token)).earlier == FIRST_PAGE
    with pytest.raises(InvalidRequest, match="was given to another customer than 'berta'; give"):
        Request.from_proto(pb.RecommendRequest(customer_id="berta", page_token=token))
    with pytest.raises(InvalidRequest, match="page is 2 beside a page_token; give one of the two"):
        Request.from_proto(pb.RecommendRequest(customer_id="anna", page_token=token, page=2))


def test_bought_since_is_what_was_not_bought_at_the_first_page():
    pages = FIRST_PAGE.continued(["1"], customer(("7", 100), ("8", 90)))
    assert pages.bought_since(customer(("7", 100), ("8", 90))) == []
    later = customer(("7", 120), ("9", 100), ("7", 100), ("8", 90))  # one of a basket of that moment is told late
    assert pages.continued(["2"], later).bought_since(later) == ["7", "9"]


def test_where_the_customer_could_not_be_read_the_first_page_that_can_counts():
    unread = FIRST_PAGE.continued(["1"], None)
    assert unread.bought_since(customer(("7", 100))) == []
    read = unread.continued(["2"], customer(("7", 100)))
    assert read.bought_since(customer(("8", 110), ("7", 100))) == ["8"]


def test_tokens_are_short():
    articles = [f"{number * 7919 % 10**9:010d}" for number in range(DEEPEST_ARTICLE - 1)]
    twenty = customer(*((article_id, 10**15 + place) for place, article_id in enumerate(articles[:20])))
    assert len(FIRST_PAGE.continued(articles[:12], twenty).to_token("a" * 64)) < 500
    assert len(FIRST_PAGE.continued(articles, twenty).to_token("a" * 64)) < 6_000
