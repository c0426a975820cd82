"""The synthetic shop, in order: a world from a seed, its four kinds of file, and the parameters for the oracle."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from infra.base.errors import UserError
from infra.base.progress import track
from infra.synthetic.behaviour.purchases import draw_days
from infra.synthetic.pictures.album import draw_pictures
from infra.synthetic.shop_files import write_articles, write_customers, write_purchases
from infra.synthetic.world import WORLD_FILE, World, make_world


@dataclass(frozen=True)
class ShopSize:
    """How large a shop, how long it is open and from which seed; the defaults suit the demo."""

    customers: int = 7_000
    articles: int = 2_000
    days: int = 110
    purchases: int = 150_000  # about
    first_day: date = date(2020, 6, 3)  # the last day is 2020-09-20 then
    seed: int = 2
    pictures: bool = True

    def __post_init__(self) -> None:
        for name, least in (("customers", 10), ("articles", 100), ("days", 2), ("purchases", 10)):
            value = getattr(self, name)
            if value < least:
                raise UserError(f"a shop with {value} {name} is too small; give --{name} {least} or more")
        if self.seed < 0:
            raise UserError(f"--seed holds {self.seed}; expected 0 or more")


def write_shop(size: ShopSize, data_dir: Path) -> World:
    """Write ``articles.csv``, ``customers.csv``, ``transactions_train.csv``, ``images/`` and ``oracle.npz``."""
    data_dir.mkdir(parents=True, exist_ok=True)
    world = make_world(size.articles, size.customers, size.days, size.first_day, size.seed)
    write_articles(world, data_dir / "articles.csv")
    write_customers(world, data_dir / "customers.csv")
    days = track(draw_days(world, size.purchases), "days of purchases", total=size.days)
    write_purchases(world, days, data_dir / "transactions_train.csv")
    if size.pictures:
        draw_pictures(world.catalogue, data_dir / "images", size.seed)
    world.save(data_dir / WORLD_FILE)
    return world
