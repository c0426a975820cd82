"""The Kaggle layout: articles.csv, customers.csv and transactions_train.csv, as H&M's files look byte for byte."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np

from feature_repo.files.file_layouts import ARTICLES, CUSTOMERS, TRANSACTIONS
from infra.synthetic.behaviour.purchases import Purchases
from infra.synthetic.descriptions import describe, product_names
from infra.synthetic.seeds import generator
from infra.synthetic.styles import CLUSTERS
from infra.synthetic.vocabulary import COLOURS, GROUPS, INDICES, KINDS, PATTERNS, SECTIONS
from infra.synthetic.world import World

PRICE_SCALE = 590.0  # a price of 29.99 is written as 0.0508305084745763, a multiple of 1/59000
NO_PROFILE_SHARE, NO_AGE_SHARE = 0.04, 0.03
HINTING_SECTION_SHARE = 0.6  # of products stand in the section of their style, the others anywhere


def write_articles(world: World, path: Path) -> None:
    """Write all 25 columns, sorted by article id."""
    catalogue = world.catalogue
    rng = generator(world.seed, "sections")
    products = int(catalogue.products.max()) + 1
    names = product_names(catalogue, world.seed)
    descriptions = describe(catalogue, world.seed)
    hinting = rng.random(products) < HINTING_SECTION_SHARE
    anywhere = rng.integers(CLUSTERS, size=products)

    def rows() -> Iterator[tuple[Any, ...]]:
        for i in np.argsort(catalogue.article_ids):
            product = catalogue.products[i]
            kind, colour = KINDS[catalogue.kinds[i]], COLOURS[catalogue.colours[i]]
            pattern, group = PATTERNS[catalogue.patterns[i]], GROUPS[catalogue.groups[i]]
            look = int(catalogue.cells[i] % CLUSTERS if hinting[product] else anywhere[product])
            section_no, section = SECTIONS[group.name][look]
            indices = INDICES[group.name]
            index_code, index = indices.get(kind.category, indices[""])
            article_id = str(catalogue.article_ids[i])
            department_no = 1200 + 1300 * int(catalogue.groups[i]) + 17 * int(catalogue.kinds[i]) + look % 2
            department = f"{kind.garment_group} {('Basic', 'Fashion')[look % 2]}"
            yield (
                article_id, int(article_id[:7]), names[product], kind.product_type_no, kind.name, kind.product_group,
                pattern.number, pattern.name, colour.code, colour.name, colour.value_id, colour.value,
                colour.master_id, colour.master, department_no, department, index_code, index, group.number,
                group.name, section_no, section, kind.garment_group_no, kind.garment_group, descriptions[product],
            )  # fmt: skip

    _write(path, ARTICLES.columns, rows())


def write_customers(world: World, path: Path) -> None:
    """Write a row for most customers; some have none, some have no age, as in the real files."""
    customers = world.customers
    rng = generator(world.seed, "profiles")
    count = len(customers)
    missing = rng.random(count) < NO_PROFILE_SHARE
    no_age = rng.random(count) < NO_AGE_SHARE
    eager = rng.random(count) < 1 / (1 + np.exp(-(np.log(customers.rates) - 0.5)))  # newsletter readers buy more
    active = eager | (rng.random(count) < 0.02)
    status = rng.choice(["ACTIVE", "PRE-CREATE", "LEFT CLUB", ""], count, p=[0.945, 0.046, 0.004, 0.005])
    codes = [rng.bytes(32).hex() for _ in range(max(1, count // 4))]
    postal = rng.integers(len(codes), size=count)
    postal[rng.random(count) < 0.06] = 0  # one code stands for "unknown", as it seems to do at H&M
    columns = (
        customers.customer_ids,
        np.where(eager, "1.0", ""),
        np.where(active, "1.0", ""),
        status,
        np.where(eager, "Regularly", "NONE"),
        np.where(no_age, "", customers.ages.astype(str)),
        np.array(codes)[postal],
    )
    _write(path, CUSTOMERS.columns, zip(*(column[~missing] for column in columns), strict=True))


def write_purchases(world: World, days: Iterable[Purchases], path: Path) -> None:
    """Write the purchases of each day in order, by customer within a day."""
    customer_ids, article_ids = world.customers.customer_ids, world.catalogue.article_ids
    with path.open("w", newline="", encoding="utf-8") as file:
        file.write(",".join(TRANSACTIONS.columns) + "\n")
        for number, day in enumerate(days):
            date = (world.first_day + timedelta(days=number)).isoformat()
            cents, at = np.unique(np.rint(day.prices.astype(np.float64) * 100).astype(np.int64), return_inverse=True)
            texts = np.array([f"{value / (100 * PRICE_SCALE):.15g}" for value in cents], dtype=object)
            rows = zip(
                customer_ids[day.customers].tolist(),
                article_ids[day.articles].tolist(),
                texts[at].tolist(),
                day.channels.tolist(),
                strict=True,
            )
            file.writelines(f"{date},{who},{what},{price},{channel}\n" for who, what, price, channel in rows)


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
