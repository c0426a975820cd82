"""The catalogue: products in several colours with style, price, appeal and a life from launch to leaving."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infra.synthetic.seeds import generator
from infra.synthetic.styles import CENTRES, CLUSTERS, DIMENSIONS, nearest_cluster
from infra.synthetic.vocabulary import CATEGORIES, COLOURS, DENIM, GROUPS, KINDS, PATTERNS

Floats = NDArray[np.float32]
Ints = NDArray[np.integer]

# How style moves the choice of colour and pattern (rows: style directions; see styles.DIRECTIONS).
_PASTELS = frozenset(
    {"Light Pink", "Off White", "Light Purple", "Light Blue", "Light Yellow", "Pink", "Light Turquoise"}
)
_EARTH = frozenset({"Beige", "Light Beige", "Off White", "Yellowish Brown", "Greenish Khaki", "Green"})
_BRIGHT = frozenset({"Red", "Yellow", "Orange", "Gold", "Silver", "Pink", "Dark Turquoise"})
_DARK = frozenset({"Black", "Dark Blue", "Grey", "Dark Red", "Dark Purple"})
_LACE_CATEGORIES = frozenset({"upper", "full", "underwear", "legwear"})

LAUNCHED_BEFORE_SHARE = 0.72
MARKDOWN_DAYS = 24
LADDER = np.array([2.99, 3.99, 4.99, 5.99, 7.99, 9.99, 12.99, 14.99, 17.99, 19.99, 24.99, 29.99, 34.99, 39.99, 49.99,
                   59.99, 69.99, 79.99, 99.99, 129.0, 149.0, 199.0])  # fmt: skip


@dataclass(frozen=True)
class Catalogue:
    """All articles [A], those of one index group side by side, and within a group those of one outfit cell.

    An outfit cell is a category in a style cluster: what is worn together is decided between cells. Days count from the
    first day of the shop (0); launches before it are negative.
    """

    article_ids: NDArray[np.str_]  # [A] ten digits
    products: Ints  # [A] index of the product
    groups: Ints  # [A] index into vocabulary.GROUPS
    cells: Ints  # [A] category * CLUSTERS + cluster
    kinds: Ints  # [A] index into vocabulary.KINDS
    colours: Ints  # [A] index into vocabulary.COLOURS
    patterns: Ints  # [A] index into vocabulary.PATTERNS
    styles: Floats  # [A, DIMENSIONS]
    appeals: Floats  # [A] how much everybody likes it
    basics: Floats  # [A] 0..1 how readily the same article is bought again
    prices: Floats  # [A] full price, in the customers' currency
    launch_days: Ints  # [A] first day on sale
    leave_days: Ints  # [A] first day no longer on sale
    markdown_days: Ints  # [A] first day at a reduced price
    markdowns: Floats  # [A] share taken off then

    def __len__(self) -> int:
        return len(self.article_ids)

    def group_slice(self, group: int) -> slice:
        """Where the articles of an index group lie."""
        start, stop = np.searchsorted(self.groups, [group, group + 1])
        return slice(int(start), int(stop))

    def siblings(self) -> Ints:
        """The articles of each product [P, most colours], padded with -1."""
        order = np.argsort(self.products, kind="stable")
        products = self.products[order]
        first = np.searchsorted(products, np.arange(products[-1] + 1))
        position = np.arange(len(order)) - first[products]
        table = np.full((len(first), position.max() + 1), -1, dtype=np.int32)
        table[products, position] = order
        return table

    def prices_on(self, day: int) -> Floats:
        """Price of every article on ``day``, markdown taken off [A]."""
        reduced = day >= self.markdown_days
        return np.where(reduced, self.prices * (1 - self.markdowns), self.prices).astype(np.float32)


def make_catalogue(articles: int, days: int, seed: int) -> Catalogue:
    """Draw a catalogue of exactly ``articles`` articles for a shop open for ``days`` days."""
    rng = generator(seed, "catalogue")
    colours_each = np.minimum(rng.geometric(0.42, size=articles), 8)
    count = int(np.searchsorted(np.cumsum(colours_each), articles)) + 1
    colours_each = colours_each[:count]
    colours_each[-1] -= int(colours_each.sum()) - articles

    groups, kinds = _groups_and_kinds(rng, count)
    clusters = rng.integers(CLUSTERS, size=count)
    styles = CENTRES[clusters] * 0.75 + rng.normal(0, 0.72, (count, DIMENSIONS))
    prices = _prices(rng, kinds, styles)
    basic = np.array([kind.basic for kind in KINDS])[kinds]
    basics = np.clip(basic - 0.1 * styles[:, 0] - 0.08 * styles[:, 4] + rng.normal(0, 0.08, count), 0, 1)
    appeals = rng.normal(0, 0.2, count) + 0.15 * rng.gumbel(0, 1, count)
    launch_days, leave_days = _lives(rng, count, days, basics)
    patterns = _patterns(rng, kinds, styles)

    # From products to articles: one row per colour.
    product = np.repeat(np.arange(count), colours_each)
    colours = _colours(rng, product, styles, kinds)
    article_styles = (styles[product] + rng.normal(0, 0.12, (articles, DIMENSIONS))).astype(np.float32)
    later = (np.arange(articles) != np.searchsorted(product, product)) & (rng.random(articles) < 0.15)
    launches = np.where(later, launch_days[product] + rng.integers(10, 60, articles), launch_days[product])
    leaves = np.maximum(leave_days[product] - rng.integers(0, 15, articles), launches + 14)
    reduced = rng.random(articles) < 0.75
    never = days + 10_000
    markdown_days = np.where(reduced, leaves - rng.integers(7, MARKDOWN_DAYS, articles), never)
    category_of_kind = np.array([CATEGORIES.index(kind.category) for kind in KINDS])
    cells = category_of_kind[kinds[product]] * CLUSTERS + nearest_cluster(styles.astype(np.float32))[product]
    ids = _article_ids(rng, product, launch_days)

    order = np.lexsort((ids, cells, groups[product]))
    product = product[order]
    return Catalogue(
        article_ids=ids[order],
        products=product.astype(np.int32),
        groups=groups[product].astype(np.int32),
        cells=cells[order].astype(np.int32),
        kinds=kinds[product].astype(np.int32),
        colours=colours[order].astype(np.int32),
        patterns=patterns[product].astype(np.int32),
        styles=article_styles[order],
        appeals=(appeals[product] + rng.normal(0, 0.2, articles)).astype(np.float32),
        basics=basics[product].astype(np.float32),
        prices=prices[product].astype(np.float32),
        launch_days=launches[order].astype(np.int32),
        leave_days=leaves[order].astype(np.int32),
        markdown_days=markdown_days[order].astype(np.int32),
        markdowns=rng.choice([0.2, 0.3, 0.4, 0.5], articles).astype(np.float32),
    )


def _groups_and_kinds(rng: np.random.Generator, count: int) -> tuple[Ints, Ints]:
    group_share = np.array([group.share for group in GROUPS])
    kind_share = np.array([kind.shares for kind in KINDS], dtype=float).T  # [groups, kinds]
    joint = (group_share[:, None] * kind_share / kind_share.sum(axis=1, keepdims=True)).ravel()
    drawn = rng.choice(joint.size, size=count, p=joint / joint.sum())
    return (drawn // len(KINDS)).astype(np.int32), (drawn % len(KINDS)).astype(np.int32)


def _prices(rng: np.random.Generator, kinds: Ints, styles: NDArray[np.float64]) -> NDArray[np.float64]:
    typical = np.array([kind.price for kind in KINDS])[kinds]
    wanted = np.log(typical) + 0.1 * styles[:, 5] - 0.1 * styles[:, 1] + rng.normal(0, 0.28, len(kinds))
    return LADDER[np.abs(np.log(LADDER)[None] - wanted[:, None]).argmin(axis=1)]


def _lives(rng: np.random.Generator, count: int, days: int, basics: NDArray[np.float64]) -> tuple[Ints, Ints]:
    """First day on sale (in weekly drops) and first day gone; basics stay for good."""
    before = rng.random(count) < LAUNCHED_BEFORE_SHARE
    old = -rng.integers(0, 220, count)
    new = rng.integers(0, max(days, 1), count) // 7 * 7 + rng.integers(0, 2, count)
    launch = np.where(before, old, np.maximum(new, 1))
    leave = launch + rng.integers(50, 330, count)
    leave = np.where(before & (leave < 20), rng.integers(20, 60 + days, count), leave)
    leave = np.where(basics > 0.5, days + 10_000, leave)
    return launch.astype(np.int32), leave.astype(np.int32)


def _patterns(rng: np.random.Generator, kinds: Ints, styles: NDArray[np.float64]) -> Ints:
    textures = [pattern.texture for pattern in PATTERNS]
    logits = np.log(np.array([max(pattern.weight, 1e-9) for pattern in PATTERNS]))[None].repeat(len(kinds), axis=0)
    romantic, sporty, edgy, glossy = styles[:, 0], styles[:, 1], styles[:, 4], styles[:, 5]
    for texture, lean in (
        ("floral", 0.7 * romantic),
        ("lace", 0.9 * romantic + 0.4 * glossy),
        ("dots", 0.4 * romantic - 0.3 * edgy),
        ("stripe", 0.4 * sporty - 0.4 * edgy),
        ("check", -0.5 * edgy - 0.3 * romantic),
        ("blocks", 0.8 * sporty),
        ("print", 0.4 * sporty + 0.5 * edgy),
        ("melange", -0.7 * glossy),
        ("glitter", 1.0 * glossy),
    ):
        logits[:, textures.index(texture)] += lean
    lace = np.array([kind.category in _LACE_CATEGORIES for kind in KINDS])[kinds]
    logits[~lace, textures.index("lace")] = -20.0
    logits[:, 0] += np.array([kind.plain for kind in KINDS])[kinds]
    drawn = (logits + rng.gumbel(0, 1, logits.shape)).argmax(axis=1)
    denim = rng.random(len(kinds)) < np.array([kind.denim for kind in KINDS])[kinds]
    return np.where(denim, DENIM, drawn).astype(np.int32)


def _colours(rng: np.random.Generator, product: Ints, styles: NDArray[np.float64], kinds: Ints) -> Ints:
    """Different colours for the articles of a product, leaning with its style."""
    logits = np.log(np.array([colour.weight for colour in COLOURS]))[None].repeat(len(styles), axis=0)
    for i, colour in enumerate(COLOURS):
        logits[:, i] += 0.5 * styles[:, 0] * (colour.name in _PASTELS) - 0.4 * styles[:, 5] * (colour.name in _EARTH)
        logits[:, i] += 0.4 * styles[:, 4] * (colour.name in _BRIGHT) - 0.35 * styles[:, 0] * (colour.name in _DARK)
    jeans = np.array([kind.denim == 1.0 for kind in KINDS])[kinds]
    denim_names = {"Black", "Dark Blue", "Blue", "Light Blue", "Grey", "White"}
    odd = np.array([colour.name not in denim_names for colour in COLOURS])
    logits[np.ix_(jeans, odd)] -= 4.0
    # The order of the perturbed logits is a draw without replacement: the n-th article takes the n-th colour.
    ranked = np.argsort(-(logits + rng.gumbel(0, 1, logits.shape)), axis=1)
    nth = np.arange(len(product)) - np.searchsorted(product, product)
    return ranked[product, nth].astype(np.int32)


def _article_ids(rng: np.random.Generator, product: Ints, launch_days: Ints) -> NDArray[np.str_]:
    """Ten digits: zero, six of the product (later launches have higher numbers), three of the colour."""
    count = len(launch_days)
    codes = np.sort(rng.choice(np.arange(108_000, 950_000), size=count, replace=False))
    by_launch = np.empty(count, dtype=np.int64)
    by_launch[np.argsort(launch_days, kind="stable")] = codes
    gaps = rng.integers(1, 4, len(product))
    running = np.cumsum(gaps)
    colour_number = running - running[np.searchsorted(product, product)] + 1
    numbers = by_launch[product] * 1000 + colour_number
    return np.char.zfill(numbers.astype(str), 10)
