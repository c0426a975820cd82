"""The utility: why a customer buys this article on this day. Whoever draws purchases or ranks by them asks here.

A basket is for one index group, drawn by the customer's shares. Its first article a is bought with probability
proportional to exp(u) over what the group has on sale that day, where

    u(customer, a, day) = taste in style, colour and kind + price fit + season + trend + freshness + appeal
                          + repurchase (what the customer has bought before).

Every further article of the basket is either the first once more (another size), or drawn in proportion to
exp(u + outfit), where outfit depends on the outfit cells (category in a style cluster) of the first and this one.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.synthetic.behaviour.customers import BASKET_SIZE_SHARES
from infra.synthetic.behaviour.history import History
from infra.synthetic.behaviour.seasons_and_trends import warmth
from infra.synthetic.catalogue import Floats, Ints
from infra.synthetic.styles import CLUSTERS
from infra.synthetic.vocabulary import CATEGORIES, COLOURS, GROUPS, KINDS, MASTERS
from infra.synthetic.world import World

STYLE_WEIGHT: Final = 0.9
PRICE_WEIGHT: Final = 1.1  # of the squared log distance between price and wallet
BARGAIN_WEIGHT: Final = 1.2  # of log(full price / price)
SEASON_WEIGHT: Final = 0.6
FRESH_HEIGHT: Final = 0.8
FRESH_DAYS: Final = 18.0
AGEING: Final = 0.0015  # utility lost per day on sale, of what is not basic

NOT_ON_SALE: Final = -40.0  # low enough not to overflow, not so low that exp becomes slow

# Repurchase: basics are bought again soon, fashion is not for long; other colours of the product tempt. All of it as
# strong against a large shop as against one of CUSTOMARY_ARTICLES.
AGAIN_BASIC: Final = 2.9
AGAIN_BASIC_DAYS: Final = 30.0
AGAIN_FASHION: Final = -2.0
AGAIN_FASHION_DAYS: Final = 90.0
SIBLING_BASIC: Final = 1.9
SIBLING_FASHION: Final = 1.0
SIBLING_DAYS: Final = 45.0
CUSTOMARY_ARTICLES: Final = 2_000

SAME_AGAIN_SHARE: Final = 0.05  # of further articles in a basket are the first once more
SAME_LOOK: Final = 1.5  # outfit term within a style cluster
OTHER_LOOK: Final = -0.4  # and between two
EXTRA_ARTICLES: Final = float(np.dot(np.arange(len(BASKET_SIZE_SHARES)), BASKET_SIZE_SHARES))

# Outfit term between categories, symmetric, 0 where not named.
_TOGETHER: Final = {
    "upper": {"upper": -0.5, "lower": 1.4, "outer": 0.8, "accessory": 0.4},
    "lower": {"lower": -0.8, "shoes": 0.8, "accessory": 0.4},
    "full": {"full": -0.4, "shoes": 1.3, "accessory": 1.0, "outer": 0.6, "legwear": 0.5},
    "outer": {"outer": -1.5, "accessory": 1.0},
    "shoes": {"shoes": -1.5, "legwear": 1.0},
    "accessory": {"accessory": 0.6},
    "underwear": {"underwear": 2.0, "legwear": 1.2, "night": 1.0},
    "legwear": {"legwear": 0.8},
    "swim": {"swim": 2.8, "accessory": 0.8},
    "night": {"legwear": 0.8},
}


def outfit_terms() -> Floats:
    """The outfit term between cells [cells, cells]."""
    category = np.zeros((len(CATEGORIES), len(CATEGORIES)))
    for first, others in _TOGETHER.items():
        for other, term in others.items():
            i, j = CATEGORIES.index(first), CATEGORIES.index(other)
            category[i, j] = category[j, i] = term
    look = np.full((CLUSTERS, CLUSTERS), OTHER_LOOK)
    np.fill_diagonal(look, SAME_LOOK)
    size = len(CATEGORIES) * CLUSTERS
    terms = category[:, None, :, None] + look[None, :, None, :]
    return terms.reshape(size, size).astype(np.float32)


class GroupCells:
    """Where the outfit cells of one index group lie, and how they draw each other into a basket."""

    def __init__(self, cells: Ints, offset: int) -> None:
        self.offset = offset  # of the group in the catalogue
        present, starts = np.unique(cells, return_index=True)
        self.starts = starts  # [cells present] first article of each cell, counted within the group
        self.lengths = np.diff(np.append(starts, len(cells)))
        self.of_article = np.searchsorted(present, cells)  # [A of the group] -> position in ``starts``
        self.affinity = np.exp(outfit_terms()[np.ix_(present, present)])  # [first, further]


class Utility:
    """exp(utility) of all articles of an index group for many customers at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        catalogue, customers = world.catalogue, world.customers
        self._siblings = catalogue.siblings()
        self.slices = [catalogue.group_slice(group) for group in range(len(GROUPS))]
        self.cells = [GroupCells(catalogue.cells[where], where.start) for where in self.slices]
        typical = np.array([kind.price for kind in KINDS], dtype=np.float32)[catalogue.kinds]
        self._log_typical = np.log(typical)
        self._warmths = np.array([kind.warmth for kind in KINDS], dtype=np.float32)[catalogue.kinds]
        masters = np.array([MASTERS.index(colour.master) for colour in COLOURS])
        self._masters = masters[catalogue.colours]
        self._clusters = catalogue.cells % CLUSTERS
        # Customer side: the last two columns meet the linear price term and the article's own terms.
        ones = np.ones((len(customers), 1), dtype=np.float32)
        tastes = (customers.style_tastes * STYLE_WEIGHT, customers.colour_tastes, customers.kind_tastes)
        self._customer_side = np.hstack([*tastes, customers.wallets[:, None], ones])
        self._colour_columns = np.eye(len(MASTERS), dtype=np.float32)[self._masters]
        self._kind_columns = np.ascontiguousarray(world.kind_loadings[:, catalogue.kinds].T)
        self._article_side = lru_cache(maxsize=2)(self._article_side_on)

    def _article_side_on(self, day: int) -> Floats:
        """The day's article columns [A, features]; articles not on sale are marked by the last."""
        catalogue, trends = self.world.catalogue, self.world.trends
        full = np.log(catalogue.prices)
        price = np.log(catalogue.prices_on(day))
        relative = price - self._log_typical
        age = np.maximum(day - catalogue.launch_days, 0)
        fashion = 1 - catalogue.basics
        own = (
            catalogue.appeals
            - PRICE_WEIGHT * relative**2
            + BARGAIN_WEIGHT * (full - price)
            + SEASON_WEIGHT * self._warmths * warmth(self.world.first_day + timedelta(days=day))
            + catalogue.styles @ trends.styles[day]
            + trends.clusters[day][catalogue.groups, self._clusters]
            + trends.colours[day][self._masters]
            + trends.fame_on(day)
            + fashion * (FRESH_HEIGHT * np.exp(-age / FRESH_DAYS) - AGEING * np.minimum(age, 365))
        )
        on_sale = (catalogue.launch_days <= day) & (day < catalogue.leave_days)
        own = np.where(on_sale, own, NOT_ON_SALE)
        columns = (catalogue.styles, self._colour_columns, self._kind_columns)
        return np.hstack([*columns, (2 * PRICE_WEIGHT * relative)[:, None], own[:, None]]).astype(np.float32)

    def taste_columns(self, day: int) -> Floats:
        """How utility on ``day`` follows a customer's tastes in style, colour and kind, and the wallet, [A, tastes]."""
        columns = self._article_side(day)[:, :-1].copy()
        columns[:, : self.world.customers.style_tastes.shape[1]] *= STYLE_WEIGHT
        return columns

    def group_chances(self, customers: NDArray[np.integer], day: int) -> Floats:
        """How likely a basket of each customer is for each index group [customers, GROUPS]; only for what is open."""
        on_sale = self._article_side(day)[:, -1] != NOT_ON_SALE
        stocked = np.array([bool(on_sale[where].any()) for where in self.slices])
        chances: Floats = self.world.customers.group_shares[customers] * stocked + 1e-9 * stocked
        return chances / chances.sum(axis=1, keepdims=True)

    def weights(self, customers: NDArray[np.integer], group: int, day: int, history: History) -> Floats:
        """exp(utility) [customers, articles of the group] on ``day``, 0 where not on sale.

        Args:
            customers: positions in ``world.customers``.
            group: index into ``vocabulary.GROUPS``.
            day: days since the shop's first.
            history: what was bought before that day.
        """
        where = self.slices[group]
        columns = self._article_side(day)[where]
        weights = self._customer_side[customers] @ columns.T
        np.exp(weights, out=weights)
        weights[:, columns[:, -1] == NOT_ON_SALE] = 0
        self._multiply_repurchase(weights, customers, group, day, history)
        return weights

    def _multiply_repurchase(
        self, weights: Floats, customers: NDArray[np.integer], group: int, day: int, history: History
    ) -> None:
        """Multiply what was bought lately, and its other colours, by exp(repurchase). Newer purchases decide."""
        catalogue, where = self.world.catalogue, self.slices[group]
        bought, bought_days = history.recent(customers)  # [n, kept], oldest first
        rows, slots = np.nonzero((bought >= where.start) & (bought < where.stop))
        if not len(rows):
            return
        articles, ago = bought[rows, slots], day - bought_days[rows, slots]
        basic = catalogue.basics[articles]

        other = self._siblings[catalogue.products[articles]]  # [m, most colours]
        at, nth = np.nonzero((other >= 0) & (other != articles[:, None]))
        scale = np.log(len(catalogue) / CUSTOMARY_ARTICLES)
        sibling = (SIBLING_FASHION * (1 - basic) + SIBLING_BASIC * basic + scale) * np.exp(-ago / SIBLING_DAYS)
        again = (AGAIN_BASIC + scale) * basic * np.exp(-ago / AGAIN_BASIC_DAYS)
        again += AGAIN_FASHION * (1 - basic) * np.exp(-ago / AGAIN_FASHION_DAYS)

        # All plain weights are read before any is written, siblings first: where an article was itself bought, that
        # counts, and of repeated positions the last (newest) assignment stays.
        sibling_rows, sibling_columns = rows[at], other[at, nth] - where.start
        columns = articles - where.start
        sibling_weights = weights[sibling_rows, sibling_columns] * np.exp(sibling[at]).astype(np.float32)
        own_weights = weights[rows, columns] * np.exp(again).astype(np.float32)
        weights[sibling_rows, sibling_columns] = sibling_weights
        weights[rows, columns] = own_weights
