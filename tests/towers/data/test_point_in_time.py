"""Snapshots come out of Feast's point-in-time joins, and none sees its own day."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import numpy as np
import pytest

from feature_repo.batch.pipeline import build_offline_tables
from feature_repo.files.file_layouts import ARTICLES, CUSTOMERS
from feature_repo.files.purchase_files import ingest
from feature_repo.store import open_store
from infra.base.settings import Settings
from towers.data.catalogue import Catalogue, read_catalogue
from towers.data.point_in_time import PointInTime
from towers.data.purchases import read_purchases
from towers.models.article_encoder import IMAGE_DIM

FIRST = date(2020, 9, 1)
FIRST_DAY = (FIRST - date(1970, 1, 1)).days
ANNA, BERT = "a" * 64, "b" * 64
# day, customer, article
PURCHASES = [(0, ANNA, 1), (1, ANNA, 2), (1, BERT, 1), (3, ANNA, 1), (3, ANNA, 1), (3, BERT, 3)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    folder = tmp_path_factory.mktemp("point_in_time")
    data = folder / "data"
    data.mkdir()

    def write(name: str, columns: list[str], rows: list[dict[str, str]]) -> None:
        with (data / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, columns, restval="7")
            writer.writeheader()
            writer.writerows(rows)

    articles = [{"article_id": f"{number:010d}", "prod_name": f"shirt {number}"} for number in (1, 2, 3)]
    write("articles.csv", list(ARTICLES.columns), articles)
    anna = {"customer_id": ANNA, "age": "33", "FN": "1", "Active": "1", "club_member_status": "ACTIVE"}
    write("customers.csv", list(CUSTOMERS.columns), [anna | {"fashion_news_frequency": "NONE", "postal_code": "x"}])
    rows = [
        {
            "t_dat": (FIRST + timedelta(days=day)).isoformat(),
            "customer_id": customer,
            "article_id": f"{article:010d}",
            "price": "9999.987654" if article == 3 else "0.02",
            "sales_channel_id": "2",
        }
        for day, customer, article in PURCHASES
    ]
    write("transactions_train.csv", list(rows[0]), rows)
    settings = Settings(var_dir=folder / "var")
    ingest(data, settings.tables_dir)
    build_offline_tables(settings, FIRST + timedelta(days=5))
    return settings


@pytest.fixture(scope="module")
def point_in_time(settings: Settings) -> PointInTime:
    return PointInTime(open_store(settings), settings.tables_dir)


@pytest.fixture(scope="module")
def catalogue(settings: Settings, point_in_time: PointInTime) -> Catalogue:
    return read_catalogue(point_in_time, settings.tables_dir, FIRST_DAY + 5)


def test_a_snapshot_knows_what_was_bought_before_its_day_and_holds_what_was_bought_on_it(
    catalogue: Catalogue, point_in_time: PointInTime
) -> None:
    first, third = point_in_time.snapshots(catalogue.table, [FIRST_DAY, FIRST_DAY + 3], 10, seed=0)
    assert first.warm.tolist() == [False]
    assert np.nansum(first.articles.units_3d) == 0
    anna, bert = third.customers
    assert (anna.customer_id, bert.customer_id) == (ANNA, BERT)
    assert anna.bought.tolist() == [1, 0]
    assert anna.bought_last_day.tolist() == [FIRST_DAY + 1, FIRST_DAY]
    assert bert.bought.tolist() == [0]
    # Two pieces of one article are one target.
    assert [third.targets.articles[:1].tolist(), third.targets.articles[1:].tolist()] == [[0], [2]]
    assert third.targets.counts.tolist() == [1, 1]


def test_article_numbers_are_those_of_the_morning(catalogue: Catalogue, point_in_time: PointInTime) -> None:
    second, fourth = point_in_time.article_tables(catalogue.table, [FIRST_DAY + 1, FIRST_DAY + 4])
    assert np.nan_to_num(second.sales_column("units")).tolist() == [1, 0, 0]
    assert np.nan_to_num(fourth.sales_column("units")).tolist() == [4, 1, 1]
    assert np.nan_to_num(fourth.activity_column("last_sale_day")).tolist() == [
        FIRST_DAY + 3,
        FIRST_DAY + 1,
        FIRST_DAY + 3,
    ]


def test_a_morning_after_which_every_article_has_been_sold_is_like_any(
    catalogue: Catalogue, point_in_time: PointInTime
) -> None:
    (fifth,) = point_in_time.article_tables(catalogue.table, [FIRST_DAY + 4])
    assert not np.isnan(fifth.activity).any()
    last_sale = fifth.activity_column("last_sale_day")
    assert last_sale.tolist() == [FIRST_DAY + 3, FIRST_DAY + 1, FIRST_DAY + 3]


def test_prices_are_exact(catalogue: Catalogue, point_in_time: PointInTime) -> None:
    (fifth,) = point_in_time.article_tables(catalogue.table, [FIRST_DAY + 4])
    assert fifth.prices_micros(np.arange(3, dtype=np.int32)).tolist() == [20_000, 20_000, 9_999_987_654]
    assert np.isfinite(fifth.price_remainders).all()


def test_a_customer_without_a_profile_is_a_customer(catalogue: Catalogue, point_in_time: PointInTime) -> None:
    (snapshot,) = point_in_time.snapshots(catalogue.table, [FIRST_DAY + 1], 10, seed=0)
    anna, bert = snapshot.customers
    assert anna.number("customer_profile:age") == 33
    assert np.isnan(bert.number("customer_profile:age"))


def test_at_most_so_many_customers_are_drawn_and_the_same_by_the_same_seed(
    catalogue: Catalogue, point_in_time: PointInTime
) -> None:
    drawn = [point_in_time.snapshots(catalogue.table, [FIRST_DAY + 1], 1, seed=3)[0] for _ in range(2)]
    assert [len(snapshot.customers) for snapshot in drawn] == [1, 1]
    assert drawn[0].customers[0].customer_id == drawn[1].customers[0].customer_id


def test_the_catalogue_holds_every_article_and_no_picture_is_zeros(catalogue: Catalogue) -> None:
    assert list(catalogue.table.ids) == ["0000000001", "0000000002", "0000000003"]
    assert catalogue.table.name(1) == "shirt 2"
    assert catalogue.content.images.shape == (3, IMAGE_DIM)
    assert not catalogue.content.images.any()


def test_the_log_is_in_order_and_by_position(settings: Settings, catalogue: Catalogue) -> None:
    log = read_purchases(settings.tables_dir, catalogue.table.ids)
    assert (log.day - FIRST_DAY).tolist() == [day for day, _, _ in PURCHASES]
    assert log.article.tolist() == [article - 1 for _, _, article in PURCHASES]
    assert len(set(log.customer[[0, 1, 3, 4]].tolist())) == 1
