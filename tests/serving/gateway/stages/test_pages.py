"""Whoever goes through an answer page by page meets every article once, whatever happens in between."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from serving.gateway.stages.pages import DEEPEST_ARTICLE
from serving.proto import recommender_pb2 as pb
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import article, wait_until
from tests.serving.gateway.test_recommend import degraded, ids

LONG_SHELF = 540
OFTEN_PROPOSED = 450  # by each source: more than are ranked at most


def walk(
    recommend: Callable[..., pb.RecommendResponse], between: Callable[[int, list[str]], None] | None = None, **fields
) -> list[list[str]]:
    """The articles of every page, by token to the end; ``between`` is told the page's number and articles."""
    pages: list[list[str]] = []
    token = ""
    while token or not pages:
        answer = recommend(page_token=token, **fields)
        pages.append(ids(answer))
        token = answer.next_page_token
        if between is not None and token:
            between(len(pages) - 1, pages[-1])
    return pages


def joined(pages: list[list[str]]) -> list[str]:
    return list(itertools.chain(*pages))


@pytest.fixture(scope="module")
def long_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Releases 1 and 2 of a catalogue with more articles than are ranked and than pages reach."""
    folder = tmp_path_factory.mktemp("long-shelf") / "releases"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(world, "ARTICLES", LONG_SHELF)
        for number in (1, 2):
            world.write_world_release(folder, number, quota=OFTEN_PROPOSED)
    return folder


class TestLongShelf:
    """More than 500 articles."""

    @pytest.fixture
    def releases_dir(self, long_shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(world, "ARTICLES", LONG_SHELF)
        return long_shelf

    @pytest.mark.parametrize("customer", ["known", "nobody"])
    @pytest.mark.parametrize("count", [20, 100])
    def test_pages_by_number_are_cut_from_one_order_to_their_end(self, rig, customer, count):
        pages = [ids(rig.recommend(customer, count=count, page=page)) for page in range(DEEPEST_ARTICLE // count)]
        assert [len(page) for page in pages] == [count] * (DEEPEST_ARTICLE // count)
        assert len(set(joined(pages))) == DEEPEST_ARTICLE

    @pytest.mark.parametrize("customer", ["known", "nobody"])
    def test_pages_by_token_are_those_by_number_while_nothing_changes(self, rig, customer):
        by_number = [ids(rig.recommend(customer, count=50, page=page)) for page in range(10)]
        assert walk(rig.recommend, customer_id=customer, count=50) == by_number

    def test_the_last_page_ends_where_pages_end(self, rig):
        pages = walk(rig.recommend, count=60)
        assert [len(page) for page in pages] == [60] * 8 + [20]
        assert len(set(joined(pages))) == DEEPEST_ARTICLE

    def test_a_purchase_after_each_page_repeats_nothing(self, rig):
        bought: list[int] = []

        def buy(page: int, shown: list[str]) -> None:
            bought.insert(0, LONG_SHELF - page)  # what sells worst would come last
            world.store_purchases_of_today(rig.redis, "known", *bought)

        shown = joined(walk(rig.recommend, buy, count=30))
        assert len(shown) == len(set(shown)) == DEEPEST_ARTICLE
        assert not set(shown) & {article(number) for number in bought}

    def test_scores_go_down_to_nothing_behind_what_is_ranked(self, rig):
        ranked = rig.recommend(count=100).articles
        assert min(shown.score for shown in ranked) > 0
        behind = rig.recommend(count=100, page=4).articles
        assert {(shown.score, shown.source) for shown in behind} == {(0.0, "popular")}


def test_pages_continue_by_the_number_or_the_token_of_the_page_before(rig):
    whole = ids(rig.recommend(count=36))
    second = rig.recommend(count=12, page=1)
    third = rig.recommend(count=12, page_token=second.next_page_token)
    assert ids(second) + ids(third) == whole[12:36]


@pytest.mark.parametrize("fields", [{"index_groups": [world.MEN]}, {"include_articles": [article(3), article(9)]}])
def test_pages_end_where_the_filters_leave_nothing(rig, fields):
    filters = pb.Filters(**fields)
    allowed = set(ids(rig.recommend(count=100, filters=filters)))
    assert {len(allowed)} <= {2, 10}
    shown = joined(walk(rig.recommend, count=3, filters=filters))
    assert len(shown) == len(allowed)
    assert set(shown) == allowed


def test_a_page_that_takes_all_is_the_last(rig):
    assert rig.recommend(count=world.ARTICLES).next_page_token == ""
    assert rig.recommend(count=world.ARTICLES - 1).next_page_token != ""
    assert rig.recommend(filters=pb.Filters(min_price_micros=10**12)).next_page_token == ""


def test_what_is_bought_or_hidden_in_between_does_not_come(rig):
    first = rig.recommend(count=5)
    left = [number for number in range(1, world.ARTICLES + 1) if article(number) not in ids(first)]
    bought, hidden, excluded = left[20], left[10], left[15]
    world.store_purchase_of_today(rig.redis, "known", bought)
    world.store_stock(rig.redis, article(hidden), in_stock=False)
    world.announce(rig.redis, hidden)
    wait_until(lambda: article(hidden) not in ids(rig.recommend(count=40)))
    filters = pb.Filters(exclude_articles=[article(excluded)])
    shown, token = ids(first), first.next_page_token
    while token:
        answer = rig.recommend(count=7, page_token=token, filters=filters)
        shown, token = shown + ids(answer), answer.next_page_token
    assert len(shown) == len(set(shown)) == world.ARTICLES - 3
    assert not {article(bought), article(hidden), article(excluded)} & set(shown)
    assert article(bought) in ids(rig.recommend(count=40))  # a new answer may show it to be bought again


def test_what_was_bought_before_the_first_page_is_not_left_out(rig):
    world.store_purchase_of_today(rig.redis, "known", 20)
    assert set(joined(walk(rig.recommend, count=7))) == {article(n) for n in range(1, world.ARTICLES + 1)}


def test_another_gateway_goes_on_where_one_began(rig):
    with (
        world.gateway_thread(rig.settings, world.fast_config()) as address,
        world.stub_of(address) as other,
    ):
        stubs = itertools.cycle([rig.stub, other])

        def recommend(**fields) -> pb.RecommendResponse:
            return next(stubs).Recommend(pb.RecommendRequest(customer_id="known", **fields), timeout=5)

        assert joined(walk(recommend, count=9)) == ids(rig.recommend(count=world.ARTICLES))


def test_pages_go_on_while_parts_of_the_system_are_away(rig):
    def break_down(page: int, shown: list[str]) -> None:
        rig.models.failing = [
            {"ranker": grpc.StatusCode.UNAVAILABLE},
            {"query_tower": grpc.StatusCode.UNAVAILABLE},
            {},
        ][page % 3]
        if page == 3:
            rig.redis_server.kill()

    shown = joined(walk(rig.recommend, break_down, count=6))
    assert degraded(rig.recommend()) >= {"customer"}
    assert len(shown) == len(set(shown)) == world.ARTICLES


def test_impressions_count_on_from_page_to_page(rig, monkeypatch):
    offered: list[dict] = []
    monkeypatch.setattr(
        "serving.gateway.interactions.interaction_log.InteractionLog.offer", lambda _, events: offered.extend(events)
    )
    walk(rig.recommend, count=11, request_id="one")
    assert [event["position"] for event in offered] == list(range(world.ARTICLES))
    assert len({event["event_id"] for event in offered}) == world.ARTICLES


def test_wrong_tokens_are_refused_with_their_status(rig):
    token = rig.recommend().next_page_token
    for refused, message in (
        (rig.refused(page_token="7"), "page_token '7' is none of a gateway's"),
        (rig.refused("nobody", page_token=token), "was given to another customer than 'nobody'"),
        (rig.refused(page_token=token, page=1), "page is 1 beside a page_token"),
        (rig.refused(page=-1), "page is -1; pages begin at 0"),
    ):
        assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert message in refused.details()


articles = st.integers(1, world.ARTICLES)
events = st.one_of(
    st.tuples(st.just("buy"), articles),
    st.tuples(st.just("hide"), articles),
    st.tuples(st.just("show"), articles),
    st.tuples(st.just("sell"), articles),
    st.tuples(st.just("promote"), st.sampled_from([1, 2])),
    st.tuples(st.just("nothing"), st.just(0)),
)
_customers = itertools.count()


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(1, 15), events), max_size=8), st.booleans())
def test_nothing_repeats_and_nothing_is_passed_over(rig, steps, is_newcomer):
    customer_id = f"customer-{next(_customers)}"
    if not is_newcomer:
        world.store_history(rig.redis, customer_id, (7, 2))
    hidden: set[int] = set()
    ever_hidden: set[int] = set()
    bought: list[int] = []
    shown: list[str] = []

    def stock(number: int, in_stock: bool) -> None:
        world.store_stock(rig.redis, article(number), in_stock)
        world.announce(rig.redis, number)
        wait_until(lambda: (article(number) in ids(rig.recommend("anybody", count=40))) == in_stock)

    def happen(what: str, number: int) -> None:
        if what == "buy":
            bought.append(number)
            world.store_purchases_of_today(rig.redis, customer_id, *bought[::-1])
        elif what == "hide":
            stock(number, in_stock=False)
            hidden.add(number)
            ever_hidden.add(number)
        elif what == "show":
            stock(number, in_stock=True)
            hidden.discard(number)
        elif what == "sell":
            world.store_sales(rig.redis, article(number), world.ARTICLES + 1)
            world.announce(rig.redis, number)
        elif what == "promote":
            rig.models.stable = number
            wait_until(lambda: rig.recommend("anybody").release == number)

    token = ""
    for count, (what, number) in [*steps, *[(15, ("nothing", 0))] * 4]:
        answer = rig.recommend(customer_id, count=count, page_token=token)
        page, token = ids(answer), answer.next_page_token
        assert not set(page) & set(shown)
        assert not set(page) & {article(n) for n in (*bought, *hidden)}
        shown += page
        if not token:
            break
        happen(what, number)
    assert token == ""
    assert {article(n) for n in range(1, world.ARTICLES + 1)} - set(shown) <= {
        article(n) for n in (*bought, *ever_hidden)
    }
    for number in hidden:
        stock(number, in_stock=True)
