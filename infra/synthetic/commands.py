"""``vitrine synthesize``: write a synthetic shop."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import click


@click.command()
@click.argument("out", type=click.Path(file_okay=False, path_type=Path))
@click.option("--customers", default=7_000, show_default=True, help="How many customers.")
@click.option("--articles", default=2_000, show_default=True, help="How many articles.")
@click.option("--days", default=110, show_default=True, help="How many days the shop is open.")
@click.option("--purchases", default=150_000, show_default=True, help="About how many purchases.")
@click.option(
    "--start", type=click.DateTime(["%Y-%m-%d"]), default="2020-06-03", show_default=True, help="The first day."
)
@click.option("--seed", default=2, show_default=True, help="The same seed and sizes give the same shop.")
@click.option("--images/--no-images", "pictures", default=True, show_default=True, help="Draw the articles' pictures.")
def synthesize(
    out: Path, customers: int, articles: int, days: int, purchases: int, start: datetime, seed: int, pictures: bool
) -> None:
    """Write a synthetic shop to OUT in the layout of the Kaggle files; oracle.npz there knows the best ranking."""
    from infra.synthetic.shop import ShopSize, write_shop

    began = time.monotonic()
    size = ShopSize(customers, articles, days, purchases, start.date(), seed, pictures)
    write_shop(size, out)
    click.echo(
        f"{out}: {articles:,} articles, {customers:,} customers, {days} days in {time.monotonic() - began:.1f} s"
    )
