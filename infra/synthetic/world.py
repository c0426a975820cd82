"""The world: everything that decides what is bought, in one object that can be written and read again."""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path

import numpy as np

from infra.base.errors import UserError
from infra.synthetic.behaviour.customers import Customers, make_customers, make_kind_loadings
from infra.synthetic.behaviour.seasons_and_trends import Trends, make_trends
from infra.synthetic.catalogue import Catalogue, Floats, make_catalogue

WORLD_FILE = "oracle.npz"


@dataclass(frozen=True)
class World:
    """Catalogue, customers and trends of a shop open ``days`` days from ``first_day``."""

    first_day: date
    days: int
    seed: int
    catalogue: Catalogue
    customers: Customers
    trends: Trends
    kind_loadings: Floats  # [KIND_FACTORS, KINDS]

    def save(self, path: Path) -> None:
        """Write all parameters as one ``.npz`` file."""
        arrays = {
            f"{part}.{field.name}": getattr(getattr(self, part), field.name)
            for part in ("catalogue", "customers", "trends")
            for field in fields(getattr(self, part))
        }
        partial = path.with_suffix(".partial.npz")
        np.savez(
            partial,
            shop=np.array([self.first_day.toordinal(), self.days, self.seed]),
            kind_loadings=self.kind_loadings,
            **arrays,
        )
        partial.replace(path)

    @classmethod
    def load(cls, path: Path) -> World:
        """Read what ``save`` wrote.

        Raises:
            UserError: there is no such file.
        """
        if not path.exists():
            raise UserError(
                f"{path} does not exist; the oracle knows synthetic shops only: write one with 'vitrine synthesize'"
            )
        with np.load(path) as arrays:

            def part(kind: type, name: str) -> dict[str, np.ndarray]:
                return {field.name: arrays[f"{name}.{field.name}"] for field in fields(kind)}

            first_day, days, seed = (int(value) for value in arrays["shop"])
            return cls(
                first_day=date.fromordinal(first_day),
                days=days,
                seed=seed,
                catalogue=Catalogue(**part(Catalogue, "catalogue")),
                customers=Customers(**part(Customers, "customers")),
                trends=Trends(**part(Trends, "trends")),
                kind_loadings=arrays["kind_loadings"],
            )


def make_world(articles: int, customers: int, days: int, first_day: date, seed: int) -> World:
    """Draw a world from a seed."""
    catalogue = make_catalogue(articles, days, seed)
    return World(
        first_day=first_day,
        days=days,
        seed=seed,
        catalogue=catalogue,
        customers=make_customers(customers, days, seed),
        trends=make_trends(articles, catalogue.launch_days, days, seed),
        kind_loadings=make_kind_loadings(seed),
    )
