"""The live columns equal what Redis holds, whatever happens to the stream that announces the changes."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest
import redis
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from feature_repo.contracts import ARTICLE_CHANGES_KEY, EVENT_CLOCK_KEY
from infra.base.clock import fixed_clock
from serving.gateway.state.article_state import ArticleState, FollowConfig
from serving.gateway.state.watermark_clock import WatermarkClock, gateway_clock
from serving.release.reader import Release
from serving.retrieval.articles import ACTIVITY_COLUMNS
from tests.serving.gateway import gateway_world as world
from tests.serving.gateway.gateway_world import announce, article, store_sales, store_stock, wait_until

FAST = FollowConfig(block_ms=20)


@pytest.fixture
def release(releases_dir) -> Release:
    return Release.open(releases_dir / "1")


@contextmanager
def followed(release: Release, url: str, config: FollowConfig = FAST, clock: str = "2020-09-20"):
    event_clock = WatermarkClock()
    state = ArticleState(release, url, gateway_clock(clock, event_clock), event_clock, config)
    state.load()
    state.start()
    try:
        yield state
    finally:
        state.stop()


def units(release: Release) -> list[float]:
    return release.articles.units_3d.tolist()


def priors(release: Release) -> np.ndarray:
    """What the index adds for popularity: what a query of nothing finds."""
    positions, scores = release.index.search(np.zeros(world.DIM, np.float32), world.ARTICLES)
    return scores[np.argsort(positions)]


def test_everything_is_loaded_at_the_start(release, redis_client, redis_server):
    store_sales(redis_client, article(3), 17)
    store_stock(redis_client, article(4), in_stock=False)
    store_stock(redis_client, article(5), in_stock=True)
    with followed(release, redis_server.url) as state:
        assert units(release) == [17.0 if n == 3 else 0.0 for n in range(1, world.ARTICLES + 1)]
        assert np.flatnonzero(~release.articles.in_stock).tolist() == [3]
        assert state.newest == world.BATCH_DAY
        assert state.problem is None


def test_the_last_sale_keeps_its_day_although_instants_do_not_fit_a_float32(release, redis_client, redis_server):
    values = {"units": 1, "last_sale_at": int(datetime(2020, 9, 19, tzinfo=UTC).timestamp() * 1e6) + 17}
    world.store(redis_client, world.ARTICLE_ACTIVITY_30D, article(1), values, world.BATCH_DAY)
    with followed(release, redis_server.url):
        last_sale = release.articles.activity[0, ACTIVITY_COLUMNS.index("last_sale_day")]
        assert last_sale == world.TODAY - 1


def test_sales_older_than_their_time_to_live_do_not_count(release, redis_client, redis_server):
    store_sales(redis_client, article(1), 5, at=world.BATCH_DAY - timedelta(days=31))
    store_sales(redis_client, article(2), 5, at=world.BATCH_DAY - timedelta(days=29))
    with followed(release, redis_server.url):
        assert units(release)[:2] == [0.0, 5.0]


def test_announced_changes_reach_matrix_index_and_stock(release, redis_client, redis_server):
    with followed(release, redis_server.url) as state:
        store_sales(redis_client, article(9), 30)
        store_stock(redis_client, article(2), in_stock=False)
        announce(redis_client, 9, 2)
        wait_until(lambda: units(release)[8] == 30 and not release.articles.in_stock[1])
        assert priors(release).argmax() == 8
        store_stock(redis_client, article(2), in_stock=True)
        announce(redis_client, 2)
        wait_until(lambda: bool(release.articles.in_stock[1]))
        assert state.reloads == 1


def test_changes_of_articles_that_the_release_does_not_know_are_passed_over(release, redis_client, redis_server):
    with followed(release, redis_server.url) as state:
        store_sales(redis_client, article(1), 4)
        announce(redis_client, 777, 1)
        wait_until(lambda: units(release)[0] == 4)
        assert state.problem is None


def test_what_was_trimmed_unread_is_found_by_reading_everything(release, redis_client, redis_server):
    state = ArticleState(release, redis_server.url, fixed_clock(date(2020, 9, 20)), WatermarkClock(), FAST)
    announce(redis_client, 1)
    state.load()
    store_sales(redis_client, article(11), 8)
    announce(redis_client, 11)
    announce(redis_client, 12)
    redis_client.xtrim(ARTICLE_CHANGES_KEY, maxlen=1, approximate=False)  # the announcement of 11 is lost
    state.start()
    wait_until(lambda: units(release)[10] == 8)
    wait_until(lambda: state.reloads == 2)
    state.stop()


def test_a_first_announcement_ever_is_no_gap(release, redis_client, redis_server):
    with followed(release, redis_server.url) as state:
        store_sales(redis_client, article(1), 3)
        announce(redis_client, 1)
        wait_until(lambda: units(release)[0] == 3)
        assert state.reloads == 1


def test_an_emptied_redis_is_read_again(release, redis_client, redis_server):
    store_sales(redis_client, article(1), 3)
    announce(redis_client, 1)
    with followed(release, redis_server.url) as state:
        redis_client.flushall()
        wait_until(lambda: units(release)[0] == 0)
        assert state.reloads == 2


def test_a_redis_that_is_away_at_the_start_is_read_when_it_comes(release, redis_client, redis_server):
    redis_server.kill()
    made_with = units(release)
    with followed(release, redis_server.url) as state:
        assert units(release) == made_with  # as of the release
        assert "sales and stock are not followed" in (state.problem or "")
        redis_server.start_again()
        wait_until(lambda: state.problem is None)
        assert units(release) == [0.0] * world.ARTICLES


def test_rows_written_without_an_announcement_come_with_the_refresh(release, redis_client, redis_server):
    config = FollowConfig(block_ms=20, refresh_every_s=0.05, refresh_chunk=7, refresh_pause_ms=1)
    with followed(release, redis_server.url, config) as state:
        store_sales(redis_client, article(23), 6)  # as `vitrine materialize` does
        wait_until(lambda: units(release)[22] == 6)
        assert state.reloads == 1


def test_the_event_clock_follows_the_stream(release, redis_client, redis_server):
    event_clock = WatermarkClock()
    state = ArticleState(release, redis_server.url, event_clock, event_clock, FAST)
    assert event_clock() == world.BATCH_DAY  # the day that the release was made for
    redis_client.set(EVENT_CLOCK_KEY, "2020-09-21T08:00:00.000017Z")
    state.load()
    assert event_clock() == datetime(2020, 9, 21, 8, 0, 0, 17, tzinfo=UTC)
    state.start()
    announce(redis_client, 1, clock=world.NOW + timedelta(days=3))
    wait_until(lambda: event_clock() == world.NOW + timedelta(days=3))
    announce(redis_client, 1, clock=world.NOW)  # it never goes back
    redis_client.set(EVENT_CLOCK_KEY, "2020-09-25T00:00:00Z")
    wait_until(lambda: event_clock() == datetime(2020, 9, 25, tzinfo=UTC))
    state.stop()


def test_on_a_new_day_sales_outlive_their_time_without_an_event(release, redis_client, redis_server):
    store_sales(redis_client, article(1), 5)
    config = FollowConfig(block_ms=20, refresh_at_most_every_s=0.0)
    with followed(release, redis_server.url, config, clock="events"):
        assert units(release)[0] == 5
        redis_client.set(EVENT_CLOCK_KEY, (world.BATCH_DAY + timedelta(days=40)).isoformat())
        wait_until(lambda: units(release)[0] == 0)


def break_row(client: Any, number: int) -> None:
    """As no writer of ours leaves it: a text where units are counted."""
    key = world.entity_key("article", article(number))
    client.hset(key, world.feature_field("article_activity_30d", "units"), b"\x12\x01a")
    client.hset(key, world.timestamp_field("article_activity_30d"), world.encode_timestamp(world.BATCH_DAY))


def test_a_malformed_row_stops_no_other_and_is_followed_again_once_it_is_mended(release, redis_client, redis_server):
    break_row(redis_client, 1)
    world.store_sales(redis_client, article(2), 7)
    with followed(release, redis_server.url) as state:
        assert units(release)[:2] == [world.ARTICLES, 7]  # of the first what the release knew
        assert state.problem == "sales and stock of 1 articles cannot be read, such as 0000000001"
        world.store_sales(redis_client, article(3), 9)
        world.announce(redis_client, 1, 3)
        wait_until(lambda: units(release)[2] == 9)
        world.store_sales(redis_client, article(1), 5)
        world.announce(redis_client, 1)
        wait_until(lambda: units(release)[0] == 5)
        wait_until(lambda: state.problem is None)


@pytest.fixture(scope="module")
def one_release(releases_dir) -> Release:
    return Release.open(releases_dir / "2")


STEP = st.one_of(
    st.tuples(st.just("sell"), st.integers(1, world.ARTICLES), st.integers(0, 50)),
    st.tuples(st.just("stock"), st.integers(1, world.ARTICLES), st.integers(0, 1)),
    st.tuples(st.just("trim"), st.integers(0, 2), st.just(0)),
    st.tuples(st.just("read"), st.just(0), st.just(0)),
)


@hypothesis_settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=25))
def test_after_any_changes_and_trims_the_matrix_is_what_redis_holds(
    steps: list[tuple[str, int, int]], one_release: Release, redis_client: redis.Redis, redis_server
):
    redis_client.flushall()
    state = ArticleState(
        one_release, redis_server.url, fixed_clock(date(2020, 9, 20)), WatermarkClock(), FollowConfig(block_ms=1)
    )
    state.load()
    expected_units, expected_stock = np.zeros(world.ARTICLES), np.ones(world.ARTICLES, np.bool_)
    for kind, number, value in [*steps, ("read", 0, 0)]:
        if kind == "sell":
            store_sales(redis_client, article(number), value)
            announce(redis_client, number)
            expected_units[number - 1] = value
        elif kind == "stock":
            store_stock(redis_client, article(number), bool(value))
            announce(redis_client, number)
            expected_stock[number - 1] = bool(value)
        elif kind == "trim":
            redis_client.xtrim(ARTICLE_CHANGES_KEY, maxlen=number, approximate=False)
        else:
            state.catch_up()
            np.testing.assert_array_equal(one_release.articles.units_3d, expected_units)
            np.testing.assert_array_equal(one_release.articles.in_stock, expected_stock)
            np.testing.assert_allclose(priors(one_release), 0.1 * np.log(expected_units + 0.3), rtol=1e-5)
