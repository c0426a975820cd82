"""The customers: tastes around archetypes, for whom they shop, what they can spend and how often they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from infra.synthetic.catalogue import Floats
from infra.synthetic.seeds import generator
from infra.synthetic.styles import CENTRES, DIMENSIONS
from infra.synthetic.vocabulary import KINDS, MASTERS

KIND_FACTORS: Final = 5  # hidden reasons to like kinds of article
BASKET_SIZE_SHARES: Final = (0.40, 0.28, 0.16, 0.10, 0.06)  # of 1, 2, ... articles


@dataclass(frozen=True)
class Archetype:
    """A sort of customer: share, ages, and how often a basket is for each of ``GROUPS``."""

    share: float
    ages: tuple[int, int]
    groups: tuple[float, float, float, float, float]


ARCHETYPES: Final = (
    Archetype(0.24, (17, 30), (0.30, 0.62, 0.02, 0.01, 0.05)),  # young and trendy
    Archetype(0.20, (24, 42), (0.74, 0.18, 0.03, 0.01, 0.04)),
    Archetype(0.18, (28, 46), (0.45, 0.06, 0.06, 0.41, 0.02)),  # parents
    Archetype(0.18, (42, 70), (0.88, 0.03, 0.06, 0.02, 0.01)),
    Archetype(0.13, (20, 60), (0.02, 0.04, 0.86, 0.02, 0.06)),  # menswear
    Archetype(0.07, (18, 45), (0.35, 0.16, 0.10, 0.02, 0.37)),  # sport
)


@dataclass(frozen=True)
class Customers:
    """All customers [C]."""

    customer_ids: NDArray[np.str_]  # [C] 64 hexadecimal characters, sorted
    ages: NDArray[np.int32]  # [C] true age; the file hides some
    style_tastes: Floats  # [C, DIMENSIONS]
    colour_tastes: Floats  # [C, colour masters]
    kind_tastes: Floats  # [C, KIND_FACTORS]
    wallets: Floats  # [C] log of the preferred price relative to what the kind usually costs
    group_shares: Floats  # [C, GROUPS] how often a basket is for each part of the shop
    rates: Floats  # [C] baskets per ordinary day, before scaling to the wanted number of purchases
    weekdays: NDArray[np.int32]  # [C] favourite day of the week, Monday 0
    join_days: NDArray[np.int32]  # [C] first day as a customer
    online_shares: Floats  # [C] how often a basket is bought online

    def __len__(self) -> int:
        return len(self.customer_ids)


def make_customers(customers: int, days: int, seed: int) -> Customers:
    """Draw ``customers`` customers of a shop open for ``days`` days."""
    rng = generator(seed, "customers")
    archetype = rng.choice(len(ARCHETYPES), size=customers, p=[each.share for each in ARCHETYPES])
    low = np.array([each.ages[0] for each in ARCHETYPES])[archetype]
    high = np.array([each.ages[1] for each in ARCHETYPES])[archetype]
    ages = np.clip(np.rint(low + (high - low) * rng.beta(1.3, 1.6, customers)), 16, 97).astype(np.int32)

    look = _looks(rng, archetype)
    style = 0.62 * CENTRES[look] + rng.normal(0, 0.34, (customers, DIMENSIONS))
    style *= rng.lognormal(0, 0.25, customers)[:, None]  # some care more than others

    palettes = rng.normal(0, 0.75, (7, len(MASTERS)))
    colour = palettes[rng.integers(7, size=customers)] + rng.normal(0, 0.45, (customers, len(MASTERS)))

    shares = np.array([each.groups for each in ARCHETYPES])[archetype]
    group_shares = rng.gamma(group_share_prior(shares))
    group_shares /= group_shares.sum(axis=1, keepdims=True)

    joins = np.where(rng.random(customers) < 0.22, rng.integers(0, max(days, 1), customers), 0)
    return Customers(
        customer_ids=_customer_ids(rng, customers),
        ages=ages,
        style_tastes=style.astype(np.float32),
        colour_tastes=colour.astype(np.float32),
        kind_tastes=rng.normal(0, 0.42, (customers, KIND_FACTORS)).astype(np.float32),
        wallets=(rng.normal(0, 0.3, customers) + 0.012 * (ages - 36)).astype(np.float32),
        group_shares=group_shares.astype(np.float32),
        rates=rng.lognormal(0, 1.05, customers).astype(np.float32),
        weekdays=rng.integers(7, size=customers).astype(np.int32),
        join_days=joins.astype(np.int32),
        online_shares=rng.beta(1.4, 0.7, customers).astype(np.float32),
    )


def group_share_prior(groups: Floats) -> Floats:
    """The Dirichlet parameters of group shares around an archetype's, [..., GROUPS]."""
    prior: Floats = groups * 9 + 0.02
    return prior


def make_kind_loadings(seed: int) -> Floats:
    """How much each hidden factor likes each kind of article [KIND_FACTORS, KINDS]."""
    return generator(seed, "kind loadings").normal(0, 0.9, (KIND_FACTORS, len(KINDS))).astype(np.float32)


def _looks(rng: np.random.Generator, archetype: NDArray[np.int64]) -> NDArray[np.int64]:
    """The style cluster a customer is near, leaning with the archetype (rows as ARCHETYPES, columns as CENTRES)."""
    lean = np.array(
        [
            [0.10, 0.08, 0.22, 0.38, 0.14, 0.08],
            [0.15, 0.22, 0.08, 0.18, 0.22, 0.15],
            [0.35, 0.06, 0.22, 0.04, 0.15, 0.18],
            [0.22, 0.32, 0.06, 0.04, 0.18, 0.18],
            [0.24, 0.24, 0.26, 0.08, 0.01, 0.17],
            [0.14, 0.04, 0.46, 0.14, 0.04, 0.18],
        ]
    )
    return (np.cumsum(lean, axis=1)[archetype] < rng.random(len(archetype))[:, None]).sum(axis=1).clip(max=5)


def _customer_ids(rng: np.random.Generator, customers: int) -> NDArray[np.str_]:
    digits = rng.bytes(32 * customers).hex()
    ids = np.array([digits[64 * i : 64 * (i + 1)] for i in range(customers)])
    ids.sort()
    return ids
