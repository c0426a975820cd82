"""What a user types at Feast loads the features that there are, of whatever year, or says which it has left out."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest

from feature_repo.materialize import materialize
from feature_repo.online.entity_values import fields_of, parse
from feature_repo.online.keys import entity_key
from feature_repo.schema import (
    ARTICLE_IMAGE,
    ARTICLE_SALES,
    CUSTOMER_ACTIVITY_30D,
    CUSTOMER_HISTORY,
    CUSTOMER_PROFILE,
    VIEWS,
    View,
)
from feature_repo.store import open_store
from infra.base.settings import Settings
from tests.conftest import OnlineStore
from tests.feature_repo.offline_rows import ID, feast, write_all, write_rows
from tests.stock_feast import stock_feast

NOW = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S}"


@pytest.fixture
def shop(tmp_path: Path, store: OnlineStore) -> Settings:
    """A fresh registry over tables with one row each, of 2020."""
    settings = Settings(tmp_path / "var", redis_url=store.url)
    write_all(settings)
    ok(settings, "apply")
    return settings


def ok(settings: Settings, *arguments: str) -> str:
    done = feast(settings, *arguments)
    assert done.exit_code == 0, done.output
    return done.output


def loaded(store: OnlineStore, view: View, entity_id: str = ID) -> bool:
    return number(store, view, entity_id) is not None


def number(store: OnlineStore, view: View, entity_id: str = ID) -> object:
    """What the online store holds as the view's first feature, as its offline rows write it."""
    raw = store.client.hmget(entity_key(view.entity, entity_id), fields_of([view]))
    return parse(entity_id, [view], raw, datetime(2020, 9, 25, tzinfo=UTC)).get(view.name, view.features[0].name)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [record.getMessage() for record in caplog.records if record.name == "feature_repo.provider"]
    caplog.clear()
    return found


def run_command_of(message: str, settings: Settings) -> None:
    command = re.search(r"`feast -c feature_repo (.*?)`", message)
    assert command, message
    ok(settings, *shlex.split(command[1]))


def test_a_first_incremental_load_begins_at_the_data(
    shop: Settings, store: OnlineStore, caplog: pytest.LogCaptureFixture
) -> None:
    ok(shop, "materialize-incremental", NOW)
    assert [view.name for view in VIEWS if not loaded(store, view)] == []
    assert warnings(caplog) == []


@pytest.mark.parametrize("end", [NOW, "2038-01-01T00:00:00"], ids=["now", "in the future"])
def test_the_next_incremental_load_takes_what_is_new(
    shop: Settings, store: OnlineStore, caplog: pytest.LogCaptureFixture, end: str
) -> None:
    ok(shop, "materialize-incremental", end)
    write_rows(shop, CUSTOMER_HISTORY, [(ID, "2020-09-20", 1), (ID, "2020-09-22", 2)])
    write_rows(shop, CUSTOMER_PROFILE, [(ID, "2020-09-20", 1), ("bob", "2020-09-20", 3)])  # undated: the stamp is one
    ok(shop, "materialize-incremental", end)
    assert number(store, CUSTOMER_HISTORY) == 2
    assert number(store, CUSTOMER_PROFILE, "bob") == 3
    assert warnings(caplog) == []


def test_an_incremental_load_goes_on_where_ours_ended(shop: Settings, store: OnlineStore) -> None:
    materialize(shop, datetime(2021, 1, 1).date())
    write_rows(shop, CUSTOMER_HISTORY, [(ID, "2020-09-20", 1), (ID, "2020-09-22", 2)])
    ok(shop, "materialize-incremental", NOW, "-v", "customer_history")
    assert number(store, CUSTOMER_HISTORY) == 2


def test_a_table_that_was_empty_is_loaded_when_it_is_filled(
    shop: Settings, store: OnlineStore, caplog: pytest.LogCaptureFixture
) -> None:
    write_rows(shop, ARTICLE_IMAGE, [])
    ok(shop, "materialize-incremental", NOW, "-v", "article_image")
    (said,) = warnings(caplog)
    assert "article_image: nothing was loaded, for" in said
    assert "holds no rows" in said
    write_rows(shop, ARTICLE_IMAGE, [(ID, "2000-01-01", 1)])
    ok(shop, "materialize-incremental", NOW, "-v", "article_image")
    assert loaded(store, ARTICLE_IMAGE)


@pytest.mark.parametrize(
    "command",
    [
        ("materialize", "2025-01-01", "2026-01-01"),
        ("materialize", "2010-01-01", "2020-09-19T23:59:59"),
        ("materialize-incremental", "2010-01-01"),
    ],
    ids=["after all rows", "before all rows", "incremental, before all rows"],
)
def test_a_window_without_rows_is_named_with_the_way_out(
    shop: Settings, store: OnlineStore, caplog: pytest.LogCaptureFixture, command: tuple[str, ...]
) -> None:
    ok(shop, *command, "-v", "customer_history")
    (said,) = warnings(caplog)
    assert "customer_history: nothing was loaded" in said
    assert command[-1] in said
    assert "2020-09-20" in said
    assert not loaded(store, CUSTOMER_HISTORY)
    run_command_of(said, shop)
    assert number(store, CUSTOMER_HISTORY) == 1
    assert warnings(caplog) == []
    ok(shop, "materialize-incremental", NOW, "-v", "customer_history")
    assert warnings(caplog) == []


def test_a_window_before_what_is_loaded_is_named(shop: Settings, caplog: pytest.LogCaptureFixture) -> None:
    ok(shop, "materialize-incremental", NOW, "-v", "customer_history")
    ok(shop, "materialize-incremental", "2020-09-01", "-v", "customer_history")
    (said,) = warnings(caplog)
    assert "customer_history: nothing was loaded, for what is of up to 2020-09-20 has been before" in said


def test_rows_that_no_load_has_taken_are_named_with_the_way_out(
    shop: Settings, store: OnlineStore, caplog: pytest.LogCaptureFixture
) -> None:
    write_rows(shop, ARTICLE_SALES, [("old", "2019-05-01T12:00:00.000001", 1), (ID, "2020-09-20", 2)])
    ok(shop, "materialize", "2020-09-01", "2020-09-30", "-v", "article_sales")
    (said,) = warnings(caplog)
    assert said.startswith("article_sales: 1 rows of before 2020-09-01 have never been loaded")
    ok(shop, "materialize-incremental", NOW, "-v", "article_sales")
    (said,) = warnings(caplog)
    assert not loaded(store, ARTICLE_SALES, "old")
    run_command_of(said, shop)
    assert number(store, ARTICLE_SALES, "old") == 1
    ok(shop, "materialize-incremental", NOW, "-v", "article_sales")
    assert warnings(caplog) == []


def test_a_table_that_is_missing_is_named_in_one_line(shop: Settings) -> None:
    path = shop.offline_dir / "customer_history.parquet"
    path.unlink()
    done = feast(shop, "materialize-incremental", NOW)
    assert done.exit_code == 1
    assert f"Error: {path} is missing or broken; run `vitrine features --as-of DAY`, then load again" in done.output


def test_stock_feast_begins_at_the_data_too(shop: Settings, store: OnlineStore) -> None:
    stock_feast(shop).materialize_incremental(datetime.now(UTC))
    assert [view.name for view in VIEWS if not loaded(store, view)] == []


def test_a_registry_of_stock_feast_is_corrected_when_it_is_applied_again(shop: Settings, store: OnlineStore) -> None:
    write_rows(shop, CUSTOMER_HISTORY, [(ID, "2020-09-20", 1), (ID, "2020-09-22", 2)])
    stock = stock_feast(shop)
    stock.materialize(datetime(2025, 1, 1, tzinfo=UTC), datetime.now(UTC))  # loads nothing, and calls it loaded
    assert stock.get_feature_view("customer_history").most_recent_end_time > datetime(2026, 1, 1, tzinfo=UTC)
    ok(shop, "apply")
    ok(shop, "materialize-incremental", NOW)
    assert number(store, CUSTOMER_HISTORY) == 2


def test_a_join_that_cannot_find_anything_is_named(shop: Settings, caplog: pytest.LogCaptureFixture) -> None:
    feast_store = open_store(shop)

    def ask(*days: str) -> list[str]:
        asked = pd.DataFrame({"customer_id": ID, "event_timestamp": pd.to_datetime(list(days), utc=True).as_unit("us")})
        feast_store.get_historical_features(asked, CUSTOMER_ACTIVITY_30D.references()).to_arrow()
        return warnings(caplog)

    assert ask("2020-09-20", "2020-10-20", "2026-01-01") == []
    (late,) = ask("2020-10-21", "2026-01-01")
    assert "customer_activity_30d: no features from 2020-10-21 to 2026-01-01" in late
    assert "2020-09-20" in late
    assert "30 days" in late
    (early,) = ask("2020-09-19")
    assert "customer_activity_30d: no features from 2020-09-19" in early
