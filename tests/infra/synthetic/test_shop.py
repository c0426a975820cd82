"""The synthetic shop looks like the Kaggle files and behaves like a shop."""

from __future__ import annotations

import csv
import hashlib
import re
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from feature_repo.files.file_layouts import ARTICLES
from infra.base.errors import UserError
from infra.cli import cli
from infra.synthetic.behaviour.history import History
from infra.synthetic.behaviour.purchases import draw_days
from infra.synthetic.behaviour.utility import Utility
from infra.synthetic.shop import ShopSize, write_shop
from infra.synthetic.styles import CLUSTERS
from infra.synthetic.vocabulary import KINDS
from infra.synthetic.world import World, make_world

SIZE = ShopSize(
    customers=1_500, articles=600, days=60, purchases=25_000, first_day=date(2020, 7, 1), seed=3, pictures=False
)
FILES = ("articles.csv", "customers.csv", "transactions_train.csv")


@pytest.fixture(scope="module")
def shop_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    write_shop(SIZE, folder)
    return folder


@pytest.fixture(scope="module")
def world(shop_dir: Path) -> World:
    return World.load(shop_dir / "oracle.npz")


@pytest.fixture(scope="module")
def purchases(shop_dir: Path) -> pd.DataFrame:
    return pd.read_csv(shop_dir / "transactions_train.csv", dtype={"article_id": str}, parse_dates=["t_dat"])


@pytest.fixture(scope="module")
def sold(purchases: pd.DataFrame, world: World) -> pd.DataFrame:
    """Purchases joined with the articles' latent properties."""
    catalogue = world.catalogue
    columns = ("products", "groups", "cells", "launch_days", "leave_days", "basics")
    articles = pd.DataFrame({name: getattr(catalogue, name) for name in columns})
    articles["article_id"] = catalogue.article_ids
    joined = purchases.merge(articles, on="article_id", how="left")
    joined["number"] = (joined.t_dat - pd.Timestamp(SIZE.first_day)).dt.days
    return joined


def test_articles_have_the_kaggle_columns_and_ids(shop_dir: Path) -> None:
    with (shop_dir / "articles.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert tuple(rows[0]) == ARTICLES.columns
    assert len(ARTICLES.columns) == 25
    ids = [row["article_id"] for row in rows]
    assert len(set(ids)) == len(ids) == SIZE.articles
    assert ids == sorted(ids)
    for row in rows:
        assert re.fullmatch(r"0\d{9}", row["article_id"])
        assert row["article_id"][:7] == f"0{row['product_code']}"  # product and three digits of the colour
    by_product = pd.DataFrame(rows).groupby("product_code")
    assert by_product.size().max() > 2  # several colours
    assert by_product.prod_name.nunique().max() == 1
    assert not any(by_product.colour_group_name.apply(lambda names: names.duplicated().any()))


def test_customers_have_the_kaggle_columns_and_gaps(shop_dir: Path, world: World, purchases: pd.DataFrame) -> None:
    lines = (shop_dir / "customers.csv").read_text().splitlines()
    assert lines[0] == "customer_id,FN,Active,club_member_status,fashion_news_frequency,age,postal_code"
    profiles = pd.read_csv(shop_dir / "customers.csv", dtype=str, keep_default_na=False)
    assert profiles.customer_id.str.fullmatch(r"[0-9a-f]{64}").all()
    assert set(profiles.FN) == {"", "1.0"}
    assert (profiles.age == "").any()
    assert len(profiles) < SIZE.customers  # some have no profile,
    assert not set(purchases.customer_id) <= set(profiles.customer_id)  # and buy all the same


def test_purchases_have_the_kaggle_columns_and_order(shop_dir: Path, purchases: pd.DataFrame, world: World) -> None:
    with (shop_dir / "transactions_train.csv").open() as file:
        assert file.readline() == "t_dat,customer_id,article_id,price,sales_channel_id\n"
        assert re.fullmatch(r"2020-07-01,[0-9a-f]{64},0\d{9},0\.\d{4,17},[12]\n", file.readline())
    assert purchases.t_dat.is_monotonic_increasing
    for _, day in purchases.groupby("t_dat"):
        assert day.customer_id.is_monotonic_increasing
    assert set(purchases.article_id) <= set(world.catalogue.article_ids)
    assert set(purchases.customer_id) <= set(world.customers.customer_ids)
    assert np.allclose(purchases.price * 59_000, np.rint(purchases.price * 59_000))  # as H&M scales its prices
    assert abs(len(purchases) - SIZE.purchases) < 0.1 * SIZE.purchases
    assert set(purchases.sales_channel_id) == {1, 2}


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(tmp_path: Path) -> None:
    small = ["--customers", "120", "--articles", "150", "--days", "8", "--purchases", "600", "--no-images"]

    def digests(name: str, seed: str) -> list[str]:
        out = tmp_path / name
        result = CliRunner().invoke(cli, ["synthesize", str(out), *small, "--seed", seed])
        assert result.exit_code == 0, result.output
        return [hashlib.sha256((out / file).read_bytes()).hexdigest() for file in FILES]

    assert digests("first", "7") == digests("second", "7")
    assert all(a != b for a, b in zip(digests("first", "7"), digests("third", "8"), strict=True))


def test_nothing_is_bought_before_it_appears_or_after_it_left(sold: pd.DataFrame) -> None:
    assert (sold.number >= sold.launch_days).all()
    assert (sold.number < sold.leave_days).all()
    assert (sold.launch_days > 0).any()  # new articles do appear, and sell
    assert (sold.leave_days < SIZE.days).any()


def test_customers_buy_again_above_all_what_is_basic(sold: pd.DataFrame) -> None:
    first_article = sold.groupby(["customer_id", "article_id"]).number.transform("min")
    first_product = sold.groupby(["customer_id", "products"]).number.transform("min")
    late = sold.number >= SIZE.days // 2
    same = (first_article < sold.number)[late]
    other_colour = (first_product < sold.number)[late] & ~same
    assert 0.05 < same.mean() < 0.35
    assert 0.05 < other_colour.mean() < 0.35
    basic = sold.basics[late] > 0.5
    assert same[basic].mean() > 1.8 * same[~basic].mean()


def test_outfits_are_bought_together_above_chance(sold: pd.DataFrame) -> None:
    def share_of_one_look(frame: pd.DataFrame) -> float:
        baskets = frame.groupby(["t_dat", "customer_id"]).look.agg(["nunique", "size"])
        pairs = baskets[baskets["size"] == 2]
        return float((pairs["nunique"] == 1).mean())

    looks = sold.assign(look=sold.cells % CLUSTERS)
    shuffled = looks.copy()
    # Chance: each customer's purchases dealt anew to the customer's own baskets, so taste is the same in both.
    shuffled["look"] = shuffled.groupby("customer_id").look.transform(
        lambda column: np.random.default_rng(0).permutation(column.to_numpy())
    )
    assert share_of_one_look(looks) > share_of_one_look(shuffled) + 0.1


def test_swimwear_sells_in_summer_and_coats_in_winter() -> None:
    world = make_world(600, 200, 240, date(2020, 1, 15), seed=1)
    utility = Utility(world)
    everyone = np.arange(200)

    def share(day: int, silhouettes: set[str]) -> float:
        weights = utility.weights(everyone, 0, day, History(200))
        kinds = world.catalogue.kinds[utility.slices[0]]
        chosen = np.isin(kinds, [i for i, kind in enumerate(KINDS) if kind.silhouette in silhouettes])
        return float((weights[:, chosen].sum(axis=1) / weights.sum(axis=1)).mean())

    swimwear, warm = {"bikini_top", "bikini_bottom", "swimsuit"}, {"coat", "boots", "tights", "beanie"}
    assert share(180, swimwear) > 3 * share(0, swimwear)
    assert share(0, warm) > 3 * share(180, warm)


def test_trends_rise_and_fall(sold: pd.DataFrame, world: World) -> None:
    famous = int(np.argmax(np.where(_peaks_inside(world), world.trends.viral_heights, 0)))
    peak = float(world.trends.viral_days[famous])
    of_it = sold[sold.article_id == world.catalogue.article_ids[famous]]
    near = (of_it.number - peak).abs() <= 5
    days_near = len([day for day in range(SIZE.days) if abs(day - peak) <= 5])
    rate_near, rate_far = near.sum() / days_near, (~near).sum() / (SIZE.days - days_near)
    assert rate_near > 1.5 * rate_far


def _peaks_inside(world: World) -> np.ndarray:
    """Articles on sale all the time whose fame peaks well within it."""
    catalogue, peak = world.catalogue, world.trends.viral_days
    always = (catalogue.launch_days < -60) & (catalogue.leave_days > SIZE.days)
    return always & (peak > 12) & (peak < SIZE.days - 12) & (catalogue.basics > 0.3)


def test_popularity_is_heavy_tailed_and_many_customers_buy_little(purchases: pd.DataFrame) -> None:
    units = purchases.article_id.value_counts().to_numpy()
    assert units[: len(units) // 10].sum() > 0.3 * units.sum()
    each = purchases.customer_id.value_counts()
    assert each.quantile(0.25) <= 6
    assert each.quantile(0.95) > 4 * each.median()


@pytest.mark.parametrize("seed", range(6))
def test_the_smallest_shop_works_even_where_a_group_has_nothing_on_sale(seed: int) -> None:
    world = make_world(articles=100, customers=30, days=40, first_day=date(2020, 1, 1), seed=seed)
    assert sum(len(day.articles) for day in draw_days(world, 300)) > 100


def test_a_size_that_makes_no_shop_is_refused() -> None:
    with pytest.raises(UserError, match="--customers 10"):
        ShopSize(customers=3)
    assert SIZE.first_day + timedelta(days=SIZE.days - 1) == date(2020, 8, 29)
