"""The oracle: the best possible ranking of a synthetic shop, by expected purchases under the true utility."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from feature_repo.files.file_layouts import TRANSACTIONS
from infra.base.errors import UserError
from infra.synthetic.behaviour.customers import Customers
from infra.synthetic.behaviour.history import History
from infra.synthetic.behaviour.seasons_and_trends import HORIZON_DAYS, day_number
from infra.synthetic.behaviour.utility import EXTRA_ARTICLES, SAME_AGAIN_SHARE, GroupCells, Utility
from infra.synthetic.catalogue import Floats
from infra.synthetic.world import WORLD_FILE, World

CHUNK_WEIGHTS: Final = 8_000_000


class Oracle:
    """Knows each customer's tastes and every trend; ranks by what a customer is expected to buy on a day.

    For every customer the ranking maximises the expected number of purchases among the first k, whatever k, given that
    the customer shops on that day and what was bought before it.
    """

    def __init__(self, world: World, data_dir: Path) -> None:
        self.world = world
        self.data_dir = data_dir
        self._utility = Utility(world)

    @classmethod
    def open(cls, data_dir: Path) -> Oracle:
        """The oracle of the synthetic shop in ``data_dir``.

        Raises:
            UserError: there is no ``oracle.npz``, as in any shop that is not synthetic.
        """
        return cls(World.load(Path(data_dir) / WORLD_FILE), Path(data_dir))

    def of_customers(self, customers: Customers) -> Oracle:
        """The oracle of the same shop with other customers under the same ids."""
        return Oracle(replace(self.world, customers=customers), self.data_dir)

    def rank(self, customer_ids: Sequence[str], day: date, k: int) -> list[NDArray[np.str_]]:
        """The ``k`` best article ids for each customer on ``day``, best first.

        Args:
            day: up to 60 days after the shop's last; purchases of it or later are not looked at.

        Raises:
            UserError: an unknown customer, or a day outside the shop's time.
        """
        ranked: list[NDArray[np.str_]] = []
        k = min(k, len(self.world.catalogue))
        for expected in self.expected_purchases(customer_ids, day):
            top = np.argpartition(-expected, k - 1, axis=1)[:, :k]
            order = np.argsort(-np.take_along_axis(expected, top, axis=1), axis=1, kind="stable")
            ranked.extend(self.world.catalogue.article_ids[np.take_along_axis(top, order, axis=1)])
        return ranked

    def expected_purchases(self, customer_ids: Sequence[str], day: date) -> Iterator[Floats]:
        """Yield, chunk by chunk, the expected purchases of all articles [chunk of customers, A], given a visit.

        Columns follow ``world.catalogue.article_ids``.
        """
        number = day_number(day, self.world.first_day)
        if not 0 <= number < self.world.days + HORIZON_DAYS:
            raise UserError(
                f"the oracle cannot rank for {day}: this shop's time is {self.world.first_day} and "
                f"{self.world.days + HORIZON_DAYS - 1} days from then"
            )
        customers = self.positions(customer_ids)
        past = self.history_before(number)
        step = max(1, CHUNK_WEIGHTS // len(self.world.catalogue))
        for start in range(0, len(customers), step):
            yield self.expectation(customers[start : start + step], number, past)

    def expectation(self, customers: NDArray[np.integer], day: int, history: History) -> Floats:
        """Expected purchases [n, A] of customers (positions) on a day (number), given a visit and the history."""
        expected = np.zeros((len(customers), len(self.world.catalogue)), dtype=np.float32)
        chances = self._utility.group_chances(customers, day)
        for group, where in enumerate(self._utility.slices):
            if not chances[:, group].any():
                continue
            weights = self._utility.weights(customers, group, day, history)
            expected[:, where] = chances[:, group, None] * _expected_in_group(weights, self._utility.cells[group])
        return expected

    def history_before(self, day: int) -> History:
        """The state that the utility needs, rebuilt from purchases dated before day number ``day``."""
        history = History(len(self.world.customers))
        history.add(*self.purchases_before(day))
        return history

    def purchases_before(self, day: int) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Customers, articles (positions) and day numbers of purchases dated before day number ``day``, by day."""
        purchases = pd.read_csv(self.data_dir / "transactions_train.csv", usecols=TRANSACTIONS.columns[:3], dtype=str)
        dates = purchases["t_dat"].to_numpy("datetime64[D]")
        numbers = (dates - np.datetime64(self.world.first_day, "D")).astype(np.int64)
        order = np.nonzero(numbers < day)[0]
        order = order[np.argsort(numbers[order], kind="stable")]
        return (
            self.positions(purchases["customer_id"].to_numpy()[order]),
            _positions(purchases["article_id"].to_numpy()[order], self.world.catalogue.article_ids, "article"),
            numbers[order],
        )

    def positions(self, customer_ids: Sequence[str] | NDArray[np.object_]) -> NDArray[np.int64]:
        """Where customers stand in the world.

        Raises:
            UserError: one is not of this shop.
        """
        return _positions(customer_ids, self.world.customers.customer_ids, "customer")


def _positions(ids: Sequence[str] | NDArray[np.object_], known: NDArray[np.str_], what: str) -> NDArray[np.int64]:
    positions = pd.Index(known).get_indexer(np.asarray(ids, dtype=object))
    if len(positions) and positions.min() < 0:
        unknown = np.asarray(ids, dtype=object)[positions < 0][0]
        raise UserError(f"{what} {unknown!r} is not of this synthetic shop; was the folder written anew since?")
    return positions.astype(np.int64)


def _expected_in_group(weights: Floats, cells: GroupCells) -> Floats:
    """Expected purchases of a basket from exp(utility) [n, A]: the first article plus what comes with it.

    A further article a has probability sum_b P1(b) w(a) O(b, a) / sum_a' w(a') O(b, a'), where the outfit factor O
    depends on cells only, so that the sum over first articles b is a sum over their cells.
    """
    in_cell = np.add.reduceat(weights, cells.starts, axis=1)  # [n, cells]
    total = in_cell.sum(axis=1, keepdims=True)
    reachable = np.maximum(in_cell @ cells.affinity.T, np.finfo(np.float32).tiny)  # [n, first cell]
    pull = ((in_cell / total) / reachable) @ cells.affinity  # [n, further cell]: P2(a) = w(a) * pull(cell of a)
    first = (1 + EXTRA_ARTICLES * SAME_AGAIN_SHARE) / total
    further = EXTRA_ARTICLES * (1 - SAME_AGAIN_SHARE) * pull[:, cells.of_article]
    return weights * (first + further)
