"""Whom and what a table is about: all customers, some of them, or some of what they bought.

Of customers: *warm* have bought before, *cold* have not. Of purchases: *new products* are articles that the customer
has never bought, in no colour; *cold articles* had sold at most five times before the day. Both, and all bands and
groups, are of warm customers: those without history are all shown the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from serving.retrieval.customer import Customer
from towers.data.snapshot import Snapshot
from towers.data.targets import Targets

COLD_ARTICLE_UNITS = 5
HEAVY_SHARE = 0.2
"""Heavy buyers are this share of warm customers: those with the most purchases."""
AGE_BANDS = {"to_24": (0, 25), "25_to_34": (25, 35), "35_to_44": (35, 45), "45_to_54": (45, 55), "55_up": (55, 200)}
LEAST_CASES = 20
"""A smaller slice says nothing."""
MAIN = ("warm", "cold", "cold_with_profile", "all", "new_products", "cold_articles")
"""The slices that are shown in full; of the others the terminal shows one line each."""


@dataclass(frozen=True)
class Slice:
    """Some targets and the cases that have any of them."""

    name: str
    title: str
    cases: npt.NDArray[np.int64]  # [m] ascending
    targets: Targets  # of these cases
    rows: npt.NDArray[np.int64]  # [targets of the slice] where they stand among all targets

    def __len__(self) -> int:
        return len(self.cases)

    @classmethod
    def of(cls, name: str, title: str, targets: Targets, wanted: npt.NDArray[np.bool_]) -> Slice:
        """The slice of the wanted targets, [targets in all] of bool."""
        chosen = targets.only(wanted)
        cases = np.flatnonzero(chosen.counts)
        return cls(name, title, cases, chosen.take(cases), np.flatnonzero(wanted))


def make_slices(*days: Snapshot) -> dict[str, Slice]:
    """All slices of one or several days that have enough cases; warm, cold and all as soon as they have any.

    Of several days, cases and targets are numbered on, day behind day.
    """
    targets = Targets(
        np.concatenate([day.targets.articles for day in days]),
        np.cumsum([0, *np.concatenate([day.targets.counts for day in days]).tolist()]).astype(np.int64),
    )
    wanted: dict[str, tuple[str, list[npt.NDArray[np.bool_]]]] = {}
    for number, day in enumerate(days):
        for name, title, chosen in _wanted(day):
            # A group that no article of another day has is empty there.
            masks = wanted.setdefault(name, (title, [np.zeros(len(d.targets.articles), np.bool_) for d in days]))[1]
            masks[number] = chosen
    slices = {}
    for name, (title, masks) in wanted.items():
        made = Slice.of(name, title, targets, np.concatenate(masks))
        if len(made) >= (1 if name in ("warm", "cold", "all") else LEAST_CASES):
            slices[name] = made
    return slices


def _wanted(snapshot: Snapshot) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    articles, customers, targets = snapshot.articles, snapshot.customers, snapshot.targets
    case = targets.cases
    warm = snapshot.warm[case]
    profile = np.array([has_profile(customer) for customer in customers], np.bool_)[case]
    yield "warm", "customers with history", warm
    yield "cold", "customers without history", ~warm
    yield "cold_with_profile", "customers without history of whom a profile is known", ~warm & profile
    yield "all", "all customers", np.ones(len(case), np.bool_)
    yield "new_products", "new products of customers with history", warm & new_products(snapshot)
    units = np.nan_to_num(articles.sales_column("units"))[targets.articles]
    title = f"articles sold at most {COLD_ARTICLE_UNITS} times, to customers with history"
    yield "cold_articles", title, warm & (units <= COLD_ARTICLE_UNITS)
    purchases = np.nan_to_num(_numbers(customers, "customer_history:purchases"))
    if snapshot.warm.any():
        heavy = purchases >= np.quantile(purchases[snapshot.warm], 1 - HEAVY_SHARE)
        yield "heavy_buyers", f"the {HEAVY_SHARE:.0%} of customers with most purchases", warm & heavy[case]
    ages = _numbers(customers, "customer_profile:age")
    for name, (least, below) in AGE_BANDS.items():
        within = (ages >= least) & (ages < below)
        yield f"age_{name}", f"customers with history, aged {name.replace('_', ' ')}", warm & within[case]
    yield "age_unknown", "customers with history, age unknown", warm & np.isnan(ages)[case]
    groups = articles.category("index_group_name")[targets.articles]
    for code, group in enumerate(articles.vocabularies["index_group_name"]):
        if group:
            name = "".join(letter if letter.isalnum() else "_" for letter in group.lower())
            yield f"group_{name}", f"articles of {group}, to customers with history", warm & (groups == code)


def new_products(snapshot: Snapshot) -> npt.NDArray[np.bool_]:
    """Which targets are of products that their customer has never bought, [targets in all]."""
    product, targets = snapshot.articles.product, snapshot.targets
    parts = np.split(targets.articles, targets.offsets[1:-1])
    new = [
        ~np.isin(product[part], product[customer.bought])
        for customer, part in zip(snapshot.customers, parts, strict=True)
    ]
    return np.concatenate(new) if new else np.empty(0, np.bool_)


def has_profile(customer: Customer) -> bool:
    """Whether the shop knows more of the customer than an id."""
    return any(
        isinstance(value, str) or (value is not None and value == value)
        for name, value in customer.values.items()
        if name.startswith("customer_profile:")
    )


def _numbers(customers: Sequence[Customer], reference: str) -> npt.NDArray[np.float64]:
    return np.array([customer.number(reference) for customer in customers], np.float64)
