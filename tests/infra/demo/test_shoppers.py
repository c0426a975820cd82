"""Whom the story is about: customers with a handful of purchases where there are any, and somebody wherever not."""

from __future__ import annotations

from pathlib import Path

import pytest

from feature_repo.files.purchase_files import ingest
from infra.base.settings import Settings
from infra.demo.serving import _say_how_to_ask
from infra.demo.shoppers import active_shoppers, colours
from tests.odd_shops import ODD_SHOPS, OddShop, Purchase, article_id, customer_id


def settings_of(folder: Path, shop: OddShop) -> Settings:
    settings = Settings(folder / "var")
    ingest(shop.write(folder / "data"), settings.tables_dir)
    return settings


def shoppers(folder: Path, purchases: list[Purchase], count: int = 9) -> list[str]:
    return active_shoppers(settings_of(folder, OddShop(40, purchases)).tables_dir, count)


def test_customers_with_a_handful_of_purchases_come_first_the_latest_active_before_others(tmp_path: Path) -> None:
    often = [(day, 1, article) for day in range(8) for article in range(5)]
    earlier = [(2, 3, article) for article in range(5)]
    later = [(5, 4, article) for article in range(4)]
    purchases = [*often, (9, 2, 0), *earlier, *later]
    expected = [customer_id(number) for number in (4, 3, 1, 2)]
    assert shoppers(tmp_path / "all", purchases) == expected
    assert shoppers(tmp_path / "one", purchases, count=1) == expected[:1]


def test_where_nobody_has_a_handful_those_with_most_purchases_are_shown(tmp_path: Path) -> None:
    twice, once = [(0, 1, 0), (0, 1, 1)], [(3, 2, 0)]
    assert shoppers(tmp_path, [*twice, *once]) == [customer_id(1), customer_id(2)]


@pytest.mark.parametrize("name", ["few or very many purchases each", "one purchase"])
def test_whoever_starts_a_shop_is_told_a_customer_to_ask_for(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = ODD_SHOPS[name]
    settings = settings_of(tmp_path, shop)
    _say_how_to_ask(settings)
    told = capsys.readouterr().out
    assert f"vitrine recommend {active_shoppers(settings.tables_dir, 1)[0]}\n" in told
    assert ("Other customers" in told) == (len({customer for _, customer, _ in shop.purchases}) > 1)


def test_colours_are_those_of_the_catalogue(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, OddShop(3, [(0, 0, 0)]))
    assert colours(settings.tables_dir, {article_id(1)}) == {article_id(1): "1"}
