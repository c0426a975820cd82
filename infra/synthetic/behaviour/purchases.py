"""Drawing purchases from the utility, day by day: who comes, for which group, what first and what with it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from infra.synthetic.behaviour.customers import BASKET_SIZE_SHARES
from infra.synthetic.behaviour.history import History
from infra.synthetic.behaviour.seasons_and_trends import footfall
from infra.synthetic.behaviour.utility import EXTRA_ARTICLES, SAME_AGAIN_SHARE, GroupCells, Utility
from infra.synthetic.catalogue import Floats, Ints
from infra.synthetic.seeds import generator
from infra.synthetic.vocabulary import GROUPS
from infra.synthetic.world import World

CHUNK_WEIGHTS = 4_000_000  # weights held at a time
FAVOURITE_WEEKDAY_FACTOR = 1.7
MOST_OFTEN = 0.6  # baskets per day of the most eager
MEMBER_DISCOUNT, MEMBER_DISCOUNT_SHARE = 0.1, 0.06


@dataclass(frozen=True)
class Purchases:
    """Purchases [n] of one day as positions in the world, by customer, a basket's first article first."""

    customers: Ints
    articles: Ints
    prices: Floats  # paid
    channels: NDArray[np.int8]  # 1 store, 2 online


def shopping_chances(world: World, day: int, baskets_per_rate: float) -> NDArray[np.float64]:
    """The chance that each customer shops on ``day`` [C]."""
    date = world.first_day + timedelta(days=day)
    customers = world.customers
    favourite = np.where(customers.weekdays == date.weekday(), FAVOURITE_WEEKDAY_FACTOR, 0.9)
    chance = customers.rates * baskets_per_rate * footfall(date) * favourite
    return np.where(day >= customers.join_days, np.minimum(chance, MOST_OFTEN), 0.0)


def baskets_per_rate(world: World, purchases: int) -> float:
    """The scale at which ``purchases`` are expected over the whole time; bisected, as chances are capped."""
    wanted = purchases / (1 + EXTRA_ARTICLES)
    low, high = 1e-6, 100.0
    for _ in range(40):
        middle = (low * high) ** 0.5
        # Days spread over the time stand for all of them.
        sample = np.unique(np.linspace(0, world.days - 1, min(world.days, 42)).astype(int))
        expected = np.mean([shopping_chances(world, int(day), middle).sum() for day in sample]) * world.days
        low, high = (middle, high) if expected < wanted else (low, middle)
    return (low * high) ** 0.5


def draw_days(world: World, purchases: int) -> Iterator[Purchases]:
    """Yield the purchases of each day, about ``purchases`` over all."""
    utility, history = Utility(world), History(len(world.customers))
    scale = baskets_per_rate(world, purchases)
    for day in range(world.days):
        rng = generator(world.seed, "purchases", day)
        shoppers = np.nonzero(rng.random(len(world.customers)) < shopping_chances(world, day, scale))[0]
        with threadpool_limits(1):  # the products are small: more threads only wait for each other
            drawn = draw_baskets(utility, shoppers, day, history, rng)
        history.add(drawn.customers, drawn.articles, np.full(len(drawn.articles), day))
        yield drawn


def draw_baskets(
    utility: Utility, shoppers: NDArray[np.integer], day: int, history: History, rng: np.random.Generator
) -> Purchases:
    """Draw one basket for each of ``shoppers`` (positions, ascending) on ``day``."""
    world = utility.world
    shares = np.cumsum(utility.group_chances(shoppers, day), axis=1)
    group_of = (shares < rng.random(len(shoppers))[:, None] * shares[:, -1:]).sum(axis=1)
    sizes = 1 + rng.choice(len(BASKET_SIZE_SHARES), size=len(shoppers), p=BASKET_SIZE_SHARES)
    who: list[NDArray[np.integer]] = []
    what: list[NDArray[np.integer]] = []
    for group in range(len(GROUPS)):
        where = utility.slices[group]
        members = np.nonzero(group_of == group)[0]
        step = max(1, CHUNK_WEIGHTS // max(1, where.stop - where.start))
        for start in range(0, len(members), step):
            chunk = members[start : start + step]
            weights = utility.weights(shoppers[chunk], group, day, history)
            rows, articles = _draw(weights, utility.cells[group], sizes[chunk], rng)
            who.append(shoppers[chunk][rows])
            what.append(articles)
    customers = np.concatenate(who) if who else np.empty(0, dtype=np.int64)
    articles = np.concatenate(what) if what else np.empty(0, dtype=np.int64)
    order = np.argsort(customers, kind="stable")
    customers, articles = customers[order].astype(np.int32), articles[order].astype(np.int32)
    return Purchases(customers, articles, *_pay(world, customers, articles, day, rng))


def _draw(
    weights: Floats, cells: GroupCells, sizes: NDArray[np.integer], rng: np.random.Generator
) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """Draw baskets of ``sizes`` [n] by ``weights`` [n, A of the group].

    Returns the row of each purchase and its article, counted in the whole catalogue; first articles come first.
    """
    in_cell = np.add.reduceat(weights, cells.starts, axis=1).astype(np.float64)  # [n, cells]
    all_rows = np.arange(len(weights))
    first_cell = _draw_column(in_cell, rng)
    first = _draw_within(weights, all_rows, first_cell, cells, rng)

    rows = np.repeat(all_rows, sizes - 1)
    further_cell = _draw_column(in_cell[rows] * cells.affinity[first_cell[rows]], rng)
    further = _draw_within(weights, rows, further_cell, cells, rng)
    further = np.where(rng.random(len(rows)) < SAME_AGAIN_SHARE, first[rows], further)
    return np.concatenate([all_rows, rows]), np.concatenate([first, further]) + cells.offset


def _draw_column(weights: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.integer]:
    """One column for each row, in proportion to its weight."""
    running = np.cumsum(weights, axis=1)
    return (running <= rng.random(len(weights))[:, None] * running[:, -1:]).sum(axis=1)


def _draw_within(
    weights: Floats,
    rows: NDArray[np.integer],
    chosen: NDArray[np.integer],
    cells: GroupCells,
    rng: np.random.Generator,
) -> NDArray[np.integer]:
    """One article of the chosen cell for each of ``rows``, in proportion to its weight."""
    if not len(rows):
        return np.empty(0, dtype=np.int64)
    lengths = cells.lengths[chosen]
    ends = np.cumsum(lengths)
    begins = ends - lengths
    columns = np.arange(ends[-1]) - np.repeat(begins - cells.starts[chosen], lengths)
    values = weights[np.repeat(rows, lengths), columns].astype(np.float64)
    # Each row's stretch is made to sum to 1, so that one running sum over all rows stays exact enough to tell the last
    # article of a stretch from the first of the next.
    running = np.cumsum(values / np.repeat(np.add.reduceat(values, begins), lengths))
    before = np.where(begins > 0, running[begins - 1], 0.0)
    at = np.searchsorted(running, before + rng.random(len(rows)) * (1 - 1e-9), side="right")
    return columns[np.clip(at, begins, ends - 1)]


def _pay(
    world: World, customers: Ints, articles: Ints, day: int, rng: np.random.Generator
) -> tuple[Floats, NDArray[np.int8]]:
    """Prices paid and channels; a basket is bought in one channel, a few with a member's discount."""
    prices = world.catalogue.prices_on(day)[articles]
    buyers, basket = np.unique(customers, return_inverse=True)
    discounted = rng.random(len(buyers)) < MEMBER_DISCOUNT_SHARE
    online = rng.random(len(buyers)) < world.customers.online_shares[buyers]
    paid = np.where(discounted[basket], prices * (1 - MEMBER_DISCOUNT), prices)
    return paid.astype(np.float32), np.where(online[basket], 2, 1).astype(np.int8)
