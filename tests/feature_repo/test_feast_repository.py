"""Feast itself reads and writes what we read and write: offline tables, definitions and the online store, both ways."""

from __future__ import annotations

import math
import shutil
import sys
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from feast import FeatureStore
from feast.cli.cli import cli

from feature_repo.batch import pipeline
from feature_repo.batch.pipeline import build_offline_tables
from feature_repo.files.file_layouts import ARTICLES
from feature_repo.materialize import materialize
from feature_repo.online.entity_values import EntityValues, fields_of, parse
from feature_repo.online.format import encode_value
from feature_repo.online.keys import entity_key, feature_field
from feature_repo.schema import (
    ARTICLE_ACTIVITY_30D,
    ARTICLE_AVAILABILITY,
    ARTICLE_SALES,
    CUSTOMER_ACTIVITY_30D,
    CUSTOMER_HISTORY,
    CUSTOMER_PROFILE,
    VIEWS,
    Kind,
    View,
)
from feature_repo.store import open_store
from infra.base.errors import UserError
from infra.base.settings import CHECKOUT, Settings
from tests.conftest import OnlineStore
from tests.feature_repo import brute_force
from tests.feature_repo.brute_force import Purchase
from tests.stock_feast import stock_feast

EPOCH = date(1970, 1, 1)
FIRST_DAY = (date(2020, 8, 1) - EPOCH).days
AS_OF = date(2020, 9, 20)
LAST_DAY = (AS_OF - EPOCH).days
ARTICLE_IDS = [f"{number:010d}" for number in range(1, 6)]
CUSTOMER_IDS = ["ann", "bob", "cleo", "dan"]


def small_world() -> list[Purchase]:
    rng = np.random.default_rng(3)
    return [
        Purchase(
            int(rng.integers(FIRST_DAY, LAST_DAY)), number, str(rng.choice(CUSTOMER_IDS)), str(rng.choice(ARTICLE_IDS)),
            int(rng.integers(1, 60_000)), int(rng.integers(1, 3)),
        )
        for number in range(150)
    ]  # fmt: skip


PURCHASES = small_world()


def write_tables(settings: Settings) -> None:
    settings.tables_dir.mkdir(parents=True)
    instants = pa.array([p.at for p in PURCHASES], pa.int64()).cast(pa.timestamp("us", "UTC"))
    purchases = pa.table(
        {
            "event_id": [f"{p.day}-{p.number:09d}" for p in PURCHASES],
            "occurred_at": instants,
            "day": pa.array([p.day for p in PURCHASES], pa.int32()).cast(pa.date32()),
            "customer_id": [p.customer for p in PURCHASES],
            "article_id": [p.article for p in PURCHASES],
            "price_micros": pa.array([p.price_micros for p in PURCHASES], pa.int64()),
            "sales_channel_id": pa.array([p.channel for p in PURCHASES], pa.int8()),
        }
    )
    # The last 20 came over Kafka, 10 of them also in the files.
    pq.write_table(purchases.slice(0, 140), settings.tables_dir / "purchases.parquet")
    log = settings.event_log_dir / "transactions" / "day=2020-09-19"
    log.mkdir(parents=True)
    pq.write_table(purchases.slice(130), log / "part.parquet")
    customers = {
        "customer_id": ["ann", "bob"],
        "fashion_news": [True, None],
        "active": [None, False],
        "club_member_status": ["ACTIVE", None],
        "fashion_news_frequency": ["NONE", "Regularly"],
        "age": pa.array([20, None], pa.int16()),
        "postal_code": ["p1", "é"],
    }
    pq.write_table(pa.table(customers), settings.tables_dir / "customers.parquet")
    articles = {column: [f"{column} {n}" for n in range(5)] for column in ARTICLES.columns} | {
        "article_id": ARTICLE_IDS
    }
    pq.write_table(pa.table(articles), settings.tables_dir / "articles.parquet")
    settings.images_dir.mkdir()
    embeddings = {
        "article_id": ARTICLE_IDS,
        "embedding": pa.array(np.eye(5, 256, dtype=np.float32).tolist(), pa.list_(pa.float32())),
    }
    pq.write_table(pa.table(embeddings), settings.images_dir / "embeddings.parquet")


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    settings = Settings(tmp_path_factory.mktemp("vitrine") / "var")
    write_tables(settings)
    build_offline_tables(settings, AS_OF)
    return settings


@pytest.fixture
def settings(offline: Settings, store: OnlineStore) -> Settings:
    return replace(offline, redis_url=store.url)


@pytest.fixture
def client(store: OnlineStore) -> Any:
    """redis-py's client of the online store."""
    return store.client


@pytest.fixture
def stock_store(settings: Settings) -> FeatureStore:
    return stock_feast(settings)


def read_ours(client: Any, view: View, entity_id: str, now: date = AS_OF) -> EntityValues:
    raw = client.hmget(entity_key(view.entity, entity_id), fields_of([view]))
    return parse(entity_id, [view], raw, datetime(now.year, now.month, now.day, tzinfo=UTC))


def read_feast(store: FeatureStore, view: View, entity_id: str) -> dict[str, Any]:
    key = {"customer": "customer_id", "article": "article_id"}[view.entity]
    reply = store.get_online_features(view.references(), [{key: entity_id}], full_feature_names=True).to_dict()
    return {f"{view.name}:{feature.name}": reply[f"{view.name}__{feature.name}"][0] for feature in view.features}


def plain(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value.tolist() if isinstance(value, np.ndarray) else value for name, value in values.items()}


def entities_of(view: View) -> list[str]:
    return CUSTOMER_IDS if view.entity == "customer" else ARTICLE_IDS


def test_feast_joins_rows_that_know_nothing_of_their_own_day(offline: Settings) -> None:
    store = open_store(offline)
    days = range(FIRST_DAY, LAST_DAY + 1)
    for view, expect in (
        (CUSTOMER_ACTIVITY_30D, brute_force.customer_activity),
        (ARTICLE_ACTIVITY_30D, brute_force.article_activity),
    ):
        key, ids = f"{view.entity}_id", entities_of(view)
        asked = pd.DataFrame(
            [(entity, day, pd.Timestamp(day * 86_400, unit="s", tz="UTC")) for entity in ids for day in days],
            columns=[key, "day", "event_timestamp"],
        ).astype({"event_timestamp": "datetime64[us, UTC]"})
        joined = store.get_historical_features(asked, features=view.references()).to_arrow().to_pylist()
        assert len(joined) == len(asked)
        for row in joined:
            own = [p for p in PURCHASES if row[key] in (p.customer, p.article)]
            for name in ("purchases", "distinct_articles", "units", "units_3d", "units_7d", "distinct_customers"):
                if name in row:
                    expected = expect(own, row["day"])[name]
                    assert (row[name] or 0) == expected, f"{row[key]} on day {row['day']}: {name}"


@pytest.mark.parametrize("view", VIEWS[:-1], ids=lambda view: view.name)
def test_what_we_materialize_feast_reads(
    settings: Settings, client: Any, stock_store: FeatureStore, view: View
) -> None:
    loads = materialize(settings, AS_OF, [view])
    assert loads[0].rows > 0
    latest = latest_rows(settings, view)
    for entity_id, row in latest.items():
        expected = {f"{view.name}:{name}": value for name, value in row.items() if name != "event_timestamp"}
        ours = read_ours(client, view, entity_id)
        assert plain(ours.values) == expected
        assert ours.event_times == {view.name: row["event_timestamp"]}
        assert read_feast(stock_store, view, entity_id) == expected


def latest_rows(settings: Settings, view: View) -> dict[str, dict[str, Any]]:
    latest: dict[str, dict[str, Any]] = {}
    rows = pq.read_table(settings.offline_dir / f"{view.name}.parquet").sort_by("event_timestamp").to_pylist()
    for row in rows:
        latest[row.pop(f"{view.entity}_id")] = row
    return latest


def test_we_and_feast_write_the_same_bytes(settings: Settings, client: Any, stock_store: FeatureStore) -> None:

    def contents() -> dict[bytes, dict[bytes, bytes]]:
        return {key: client.hgetall(key) for key in client.scan_iter()}

    materialize(settings, AS_OF)
    ours = contents()
    client.flushall()
    stock_store.materialize(datetime(2000, 1, 1, tzinfo=UTC), datetime(2020, 9, 20, tzinfo=UTC))
    assert contents() == ours


def test_what_feast_pushes_we_read(settings: Settings, client: Any, stock_store: FeatureStore) -> None:
    now = pd.Timestamp(2020, 9, 19, 12, tz="UTC")
    frame = pd.DataFrame({"article_id": [ARTICLE_IDS[0]], "in_stock": [False], "event_timestamp": [now]})
    stock_store.push("article_availability_push", frame)
    stored = read_ours(client, ARTICLE_AVAILABILITY, ARTICLE_IDS[0])
    assert stored.values == {"article_availability:in_stock": False}
    assert stored.event_times == {"article_availability": now.to_pydatetime()}


def test_a_newer_value_of_the_stream_stays(settings: Settings, client: Any) -> None:
    materialize(settings, AS_OF, [CUSTOMER_ACTIVITY_30D])
    newest = read_ours(client, CUSTOMER_ACTIVITY_30D, "ann")
    materialize(settings, AS_OF - timedelta(days=10), [CUSTOMER_ACTIVITY_30D])
    assert read_ours(client, CUSTOMER_ACTIVITY_30D, "ann").event_times == newest.event_times
    assert plain(read_ours(client, CUSTOMER_ACTIVITY_30D, "ann").values) == plain(newest.values)


def test_a_corrected_profile_replaces_the_old_one(settings: Settings, client: Any) -> None:
    materialize(settings, AS_OF, [CUSTOMER_PROFILE])
    client.hset(entity_key("customer", "ann"), feature_field("customer_profile", "age"), encode_value(Kind.INT64, 99))
    materialize(settings, AS_OF, [CUSTOMER_PROFILE])
    assert read_ours(client, CUSTOMER_PROFILE, "ann").get("customer_profile", "age") == 20


def test_an_expired_view_is_absent_for_us_though_feast_calls_it_present(
    settings: Settings, client: Any, stock_store: FeatureStore
) -> None:
    materialize(settings, AS_OF, [CUSTOMER_ACTIVITY_30D])
    later = AS_OF + timedelta(days=400)
    assert read_ours(client, CUSTOMER_ACTIVITY_30D, "ann", now=later).values == {}
    # https://github.com/feast-dev/feast/issues/6821: if this fails, Feast has learnt it and ours can go.
    assert read_feast(stock_store, CUSTOMER_ACTIVITY_30D, "ann")["customer_activity_30d:purchases"] is not None


def test_feast_knows_what_has_been_materialized(settings: Settings) -> None:
    materialize(settings, AS_OF, [CUSTOMER_HISTORY])
    view = open_store(settings).get_feature_view("customer_history")
    assert view.most_recent_end_time == datetime(2020, 9, 20, tzinfo=UTC)


def test_opening_the_store_again_changes_nothing(offline: Settings) -> None:
    open_store(offline)
    before = offline.registry_path.read_bytes()
    store = open_store(offline)
    assert offline.registry_path.read_bytes() == before
    assert {service.name for service in store.list_feature_services()} == {"towers", "ranker", "online"}
    for definition in [*store.list_entities(), *store.list_all_feature_views(), *store.list_feature_services()]:
        assert definition.description
        assert definition.owner
        assert definition.tags
    for view in store.list_all_feature_views():
        assert all(field.description for field in view.features)


def test_feasts_own_commands_work(
    settings: Settings, client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = replace(settings, var_dir=tmp_path / "var")
    shutil.copytree(settings.offline_dir, own.offline_dir)
    for variable, value in own.to_environment().items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(CHECKOUT)
    # It reads the environment when it is imported, as it is by now if other tests ran before.
    monkeypatch.delitem(sys.modules, "feature_repo.definitions", raising=False)

    def feast(*arguments: str) -> None:
        done = CliRunner().invoke(cli, ["-c", str(CHECKOUT / "feature_repo"), *arguments])
        assert done.exit_code == 0, done.output

    sales = [p for p in PURCHASES if p.article == ARTICLE_IDS[0]]

    def units_sold() -> int:
        return read_ours(client, ARTICLE_SALES, ARTICLE_IDS[0]).get("article_sales", "units")

    feast("apply")
    materialize(own, AS_OF - timedelta(days=10), [ARTICLE_SALES])
    assert units_sold() == sum(p.day < LAST_DAY - 10 for p in sales)
    feast("materialize-incremental", "2020-09-20T00:00:00", "-v", "article_sales")  # from where ours ended
    assert units_sold() == len(sales)
    feast("materialize", "2020-09-10T00:00:00", "2020-09-20T00:00:00", "-v", "article_activity_30d")
    units = brute_force.article_activity(sales, LAST_DAY)["units"]
    stored = read_ours(client, ARTICLE_ACTIVITY_30D, ARTICLE_IDS[0])
    assert stored.get("article_activity_30d", "units") == units


def test_tables_computed_in_parts_are_those_computed_at_once(
    offline: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "PURCHASES_PER_PART", 40)
    in_parts = Settings(tmp_path / "var")
    shutil.copytree(offline.var_dir, in_parts.var_dir)
    build_offline_tables(in_parts, AS_OF)
    for view in VIEWS:
        order = [(f"{view.entity}_id", "ascending"), ("event_timestamp", "ascending")]
        whole, parts = (
            pq.read_table(settings.offline_dir / f"{view.name}.parquet").sort_by(order).to_pylist()
            for settings in (offline, in_parts)
        )
        assert len(parts) == len(whole)
        for row, expected in zip(parts, whole, strict=True):
            for name, value in row.items():  # standard deviations come out differently in the last bit
                close = isinstance(value, float) and math.isclose(value, expected[name], rel_tol=1e-12)
                assert close or value == expected[name], f"{view.name}: {name}"


def test_the_way_out_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run `vitrine ingest DATA_DIR` first"):
        build_offline_tables(Settings(tmp_path / "var"), AS_OF)
    with pytest.raises(UserError, match="run `vitrine features --as-of 2020-09-20` first"):
        materialize(Settings(tmp_path / "var"), AS_OF)
