"""What purchases tell about kinds of articles: which are bought after which, and how often they are bought again.

Single articles are bought too rarely for that to be known of each. Their departments, colours and types are not, so
these tables are small, dense and smoothed, and hold for an article that was never sold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from serving.retrieval.purchase_log import PurchaseLog
from serving.retrieval.purchase_pairs import purchase_pairs
from serving.retrieval.rebuy_odds import RebuyOdds

LIFT_CATEGORIES = (
    "department_name",
    "section_name",
    "product_type_name",
    "colour_group_name",
    "index_name",
    "graphical_appearance_name",
)
MEMORY_DAYS = 90
"""Older purchases are left out: what goes together changes with the season."""
LIFT_SMOOTHING = 20.0
"""Pairs of a category that count as no evidence."""
REBUY_DAYS = 7
"""Bought again within so many days counts as bought again."""
REBUY_SMOOTHING = (50.0, 20.0, 20.0)
"""Purchases that count as no evidence: of a department, of a product, of an article; each leans on the one before."""


@dataclass(frozen=True)
class Affinities:
    """Fitted to the purchases before a day, stored with the release's articles."""

    lifts: dict[str, npt.NDArray[np.float32]]  # category -> [codes, codes]: P(next is column | row) / P(column)
    rebuy_rate: npt.NDArray[np.float32]  # [n] share of purchases of the article that were repeated within REBUY_DAYS
    product_rebuy_rate: npt.NDArray[np.float32]  # [n] the same of its product, in any colour
    rebuy_odds: RebuyOdds  # on a visit, of what the customer has

    @classmethod
    def fit(
        cls,
        purchases: PurchaseLog,
        categories: Mapping[str, npt.NDArray[np.int32]],
        sizes: Mapping[str, int],
        product: npt.NDArray[np.int32],
    ) -> Affinities:
        """Count pairs of a customer's purchases by kind, and repeats.

        Args:
            categories: codes of the articles by category, LIFT_CATEGORIES among them, [n] each.
            sizes: how many codes each of LIFT_CATEGORIES has.
            product: [n] articles of one product share a number.
        """
        newest = int(purchases.day.max(initial=0))
        recent = purchases.since(newest - MEMORY_DAYS + 1)
        left, right, weight = purchase_pairs(recent)
        others = product[left] != product[right]
        left, right, weight = left[others], right[others], weight[others]
        lifts = {
            name: _lift(categories[name][left], categories[name][right], weight, sizes[name])
            for name in LIFT_CATEGORIES
        }
        rates = _rebuy_rates(recent, categories["department_name"], product)
        return cls(lifts, *rates, RebuyOdds.fit(purchases, categories))

    def save(self, folder: Path) -> None:
        """Write one file a table."""
        odds = self.rebuy_odds
        rows = [self.rebuy_rate, self.product_rebuy_rate, odds.kinds, odds.chance]
        np.save(folder / "rebuy_rates.npy", np.stack(rows))
        for name, lift in self.lifts.items():
            np.save(folder / f"lift_{name}.npy", lift)

    @classmethod
    def load(cls, folder: Path) -> Affinities | None:
        """Read what :meth:`save` wrote; None where it wrote nothing."""
        path = folder / "rebuy_rates.npy"
        if not path.is_file():
            return None
        rebuy_rate, product_rebuy_rate, kinds, chance = np.load(path)
        lifts = {name: np.load(folder / f"lift_{name}.npy") for name in LIFT_CATEGORIES}
        return cls(lifts, rebuy_rate, product_rebuy_rate, RebuyOdds(kinds, chance))


def _lift(
    left: npt.NDArray[np.int32], right: npt.NDArray[np.int32], weight: npt.NDArray[np.float32], size: int
) -> npt.NDArray[np.float32]:
    pairs = np.bincount(left.astype(np.int64) * size + right, weight, size * size).reshape(size, size)
    share = (pairs.sum(axis=0) + 1.0) / (pairs.sum() + size)
    after = (pairs + LIFT_SMOOTHING * share) / (pairs.sum(axis=1, keepdims=True) + LIFT_SMOOTHING)
    lift: npt.NDArray[np.float32] = (after / share).astype(np.float32)
    return lift


def _rebuy_rates(
    purchases: PurchaseLog, department: npt.NDArray[np.int32], product: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Rates of articles and of products, [n] each: an article leans on its product, a product on its department."""
    departments, products = int(department.max(initial=0)) + 1, int(product.max(initial=-1)) + 1
    of_department, of_product, of_article = REBUY_SMOOTHING
    department_of_product = np.zeros(products, np.int32)
    department_of_product[product] = department

    tried, again = _repeats(purchases.customer, purchases.article, purchases.day)
    rate = _shrunk(department[tried], again, np.full(departments, _mean(again)), of_department)
    rate = _shrunk(product[tried], again, rate[department_of_product], of_product)
    of_articles = _shrunk(tried, again, rate[product], of_article)

    tried, again = _repeats(purchases.customer, product[purchases.article], purchases.day)
    rate = _shrunk(department_of_product[tried], again, np.full(departments, _mean(again)), of_department)
    of_products = _shrunk(tried, again, rate[department_of_product], of_product)
    return of_articles.astype(np.float32), of_products[product].astype(np.float32)


def _repeats(
    customer: npt.NDArray[np.int32], thing: npt.NDArray[np.int32], day: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float64]]:
    """Every purchase before the last day, one a customer, thing and day: the thing, and 1.0 where bought again soon."""
    order = np.lexsort((day, thing, customer))
    customer, thing, day = customer[order], thing[order], day[order]
    same = (customer[1:] == customer[:-1]) & (thing[1:] == thing[:-1])
    first_of_day = np.ones(len(day), np.bool_)
    first_of_day[1:] = ~(same & (day[1:] == day[:-1]))
    customer, thing, day = customer[first_of_day], thing[first_of_day], day[first_of_day]
    again = np.zeros(len(day))
    again[:-1] = (customer[1:] == customer[:-1]) & (thing[1:] == thing[:-1]) & (day[1:] - day[:-1] <= REBUY_DAYS)
    # What was bought on the last day has had no day to be bought again.
    seen = day < day.max(initial=0)
    return thing[seen], again[seen]


def _shrunk(
    group: npt.NDArray[np.int32], hits: npt.NDArray[np.float64], prior: npt.NDArray[np.float64], smoothing: float
) -> npt.NDArray[np.float64]:
    """Share of hits in each group, drawn towards the group's prior as ``smoothing`` more tries would."""
    size = len(prior)
    rate: npt.NDArray[np.float64] = (np.bincount(group, hits, size) + smoothing * prior) / (
        np.bincount(group, minlength=size) + smoothing
    )
    return rate


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else 0.0
