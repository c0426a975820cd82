"""The observer: how well anybody could rank who has only the purchases to tell customers by.

It knows the shop as the oracle does: every article's style and appeal, every trend, how tastes are spread and how they
lead to a purchase. But what one customer likes it has to guess from what that customer has bought. So between observer
and oracle lies what purchases do not tell, and no model that learns from them is to be expected there.

The guess is the most likely taste: a multinomial logit over everything that was on sale at each purchase, with the
population's mean and covariance as the prior. For whom a customer shops is guessed from the baskets so far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import gammaln, softmax
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from infra.synthetic.behaviour.customers import ARCHETYPES, Customers, group_share_prior
from infra.synthetic.behaviour.history import History
from infra.synthetic.behaviour.seasons_and_trends import day_number
from infra.synthetic.behaviour.utility import Utility, outfit_terms
from infra.synthetic.catalogue import Floats
from infra.synthetic.oracle import Oracle
from infra.synthetic.vocabulary import GROUPS

_TASTES: Final = ("style_tastes", "colour_tastes", "kind_tastes", "wallets")
_OFF: Final = -60.0  # log weight of what is not on sale


@dataclass(frozen=True)
class _Choices:
    """What one customer bought of one group on one day: m articles, each out of n."""

    columns: Floats  # [n, tastes] how an article's utility follows the tastes
    others: Floats  # [m, n] utility apart from tastes: price, season, appeal, repurchase, outfit
    chosen: NDArray[np.integer]  # [m]


class Observer:
    """Ranks like the oracle of a world in which everybody's taste is what the purchases suggest.

    Args:
        oracle: of the shop, with its purchases.
    """

    def __init__(self, oracle: Oracle) -> None:
        self._oracle = oracle
        world = oracle.world
        tastes = _tastes_of(world.customers)
        self._mean = tastes.mean(axis=0)
        self._precision = np.linalg.inv(np.cov(tastes.T))
        tasteless = {name: np.zeros_like(getattr(world.customers, name)) for name in _TASTES}
        self._utility = Utility(replace(world, customers=replace(world.customers, **tasteless)))

    def rank(self, customer_ids: Sequence[str], day: date, k: int) -> list[NDArray[np.str_]]:
        """The ``k`` best article ids for each customer on ``day``, best first, going by purchases dated before it.

        Raises:
            UserError: as ``Oracle.rank``.
        """
        guessed = self._guess(self._oracle.positions(customer_ids), day_number(day, self._oracle.world.first_day))
        return self._oracle.of_customers(guessed).rank(customer_ids, day, k)

    def _guess(self, asked: NDArray[np.integer], day: int) -> Customers:
        """The customers with guessed tastes and group shares in place of those asked for."""
        choices, baskets = self._choices(asked, day)
        customers = self._oracle.world.customers
        tastes, shares = _tastes_of(customers), customers.group_shares.copy()
        with threadpool_limits(1):  # the products are small: more threads only wait for each other
            for customer in asked.tolist():
                tastes[customer] = self._most_likely(choices.get(customer, []))
                shares[customer] = _expected_shares(baskets[customer])
        return _with_tastes(replace(customers, group_shares=shares), tastes)

    def _choices(self, asked: NDArray[np.integer], until: int) -> tuple[dict[int, list[_Choices]], Floats]:
        """What these customers bought out of what, and of how many baskets for each group, [C, GROUPS]."""
        world, utility = self._oracle.world, self._utility
        customers, articles, days = self._oracle.purchases_before(until)
        wanted = np.isin(customers, asked)
        history, outfit = History(len(world.customers)), outfit_terms()
        choices: dict[int, list[_Choices]] = {}
        baskets = np.zeros((len(world.customers), len(GROUPS)), np.float32)
        for day in np.unique(days).tolist():
            today = np.flatnonzero(days == day)
            columns = utility.taste_columns(day)
            for rows in _by_customer(today[wanted[today]], customers):
                customer, first = int(customers[rows[0]]), int(articles[rows[0]])
                group = int(world.catalogue.groups[first])
                baskets[customer, group] += 1
                where, cells = utility.slices[group], world.catalogue.cells
                plain = utility.weights(customers[rows[:1]], group, day, history)[0]
                base = np.where(plain > 0, np.log(np.maximum(plain, 1e-30)), _OFF)
                # The first once more tells nothing of tastes.
                further = rows[1:][articles[rows[1:]] != first]
                beside = np.broadcast_to(base + outfit[cells[first], cells[where]], (len(further), len(base)))
                chosen = np.concatenate([[first], articles[further]]) - where.start
                choices.setdefault(customer, []).append(_Choices(columns[where], np.vstack([base, beside]), chosen))
            history.add(customers[today], articles[today], days[today])
        return choices, baskets

    def _most_likely(self, choices: Sequence[_Choices]) -> Floats:
        """The taste with the highest posterior, [tastes]."""

        # All choices one below the other: one product and a few sums by stretch are faster than many small ones. The
        # first is a choice among one, which tells nothing, for whoever has bought nothing.
        columns = np.concatenate(
            [self._mean[None], *(np.tile(made.columns, (len(made.chosen), 1)) for made in choices)]
        )
        others = np.concatenate([[0.0], *(made.others.ravel() for made in choices)])
        lengths = [1, *(made.others.shape[1] for made in choices for _ in made.chosen)]
        starts = np.cumsum([0, *lengths[:-1]])
        chosen = starts + np.concatenate([[0], *(made.chosen for made in choices)])

        def loss(tastes: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            off = tastes - self._mean
            logits = others + columns @ tastes
            logits -= np.repeat(np.maximum.reduceat(logits, starts), lengths)
            weights = np.exp(logits)
            sums = np.add.reduceat(weights, starts)
            shares = weights / np.repeat(sums, lengths)
            value = 0.5 * off @ self._precision @ off + (np.log(sums) - logits[chosen]).sum()
            return float(value), self._precision @ off + shares @ columns - columns[chosen].sum(axis=0)

        found: Floats = minimize(loss, self._mean, jac=True, method="L-BFGS-B", options={"maxiter": 60}).x
        return found


def _by_customer(rows: NDArray[np.integer], customers: NDArray[np.integer]) -> list[NDArray[np.integer]]:
    """Rows of one day, split by customer, in their order."""
    if not len(rows):
        return []
    ordered = rows[np.argsort(customers[rows], kind="stable")]
    return np.split(ordered, np.flatnonzero(np.diff(customers[ordered])) + 1)


def _expected_shares(baskets: Floats) -> Floats:
    """For whom a customer shops, after so many baskets for each group: every archetype, as likely as they make it."""
    prior = group_share_prior(np.array([archetype.groups for archetype in ARCHETYPES]))  # [archetypes, GROUPS]
    seen = prior + baskets
    fit = np.log([archetype.share for archetype in ARCHETYPES])
    fit = fit + gammaln(prior.sum(axis=1)) - gammaln(seen.sum(axis=1)) + (gammaln(seen) - gammaln(prior)).sum(axis=1)
    shares: Floats = softmax(fit) @ (seen / seen.sum(axis=1, keepdims=True))
    return shares


def _tastes_of(customers: Customers) -> Floats:
    """All tastes side by side, [C, tastes], in the order of ``Utility.taste_columns``."""
    return np.hstack([np.reshape(getattr(customers, name), (len(customers), -1)) for name in _TASTES])


def _with_tastes(customers: Customers, tastes: Floats) -> Customers:
    """The customers with these tastes."""
    widths = [np.reshape(getattr(customers, name), (len(customers), -1)).shape[1] for name in _TASTES]
    parts = np.split(tastes.astype(np.float32), np.cumsum(widths)[:-1], axis=1)
    shaped = {name: part.reshape(getattr(customers, name).shape) for name, part in zip(_TASTES, parts, strict=True)}
    return replace(customers, **shaped)
