"""Latent tastes: what sets a customer apart, guessed from all purchases so far, that of a second ago included.

A random-coefficients logit (McFadden and Train, 2000). Whoever buys in an index group at some time chooses an article
with a chance in proportion to

    what all bought of it then  x  exp(taste . vector of the article)

where the tastes of customers are spread like a normal distribution. What moves everybody, such as price, season and
fashion, is in the sales; only what is left is put down to taste. The likeliest taste, with the likelihood of each
choice taken to the second order, is the solution of one small linear system: nothing has to be asked over the network,
and an article that nobody has bought yet has a vector, too. ``towers.training.factor_fitting`` fits all of it.

As a feature of the ranker it lifts recall at 100 of products new to the customer from .449 to .470 and their MAP@12
from .028 to .034 (synthetic shop, five days), and recall at 100 of all on H&M's 2020-09-18 and 19 from .412 to .420 and
from .403 to .409. As a source of candidates it finds little that the towers do not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import numpy.typing as npt

GROUP = "index_group_name"
"""Customers choose among the articles of one of these at a time: for whom and for what they shop is not taste."""
SHARE_SMOOTHING = 3.0
"""Purchases that a customer's shares of the index groups are drawn to the shop's by."""


@dataclass(frozen=True)
class Taste:
    """One customer's, and how each index group looks to it."""

    mean: npt.NDArray[np.float32]  # [d]
    log_norms: npt.NDArray[np.float32]  # [groups] log of what exp(taste . vector) is on average over the sales of now
    log_shares: npt.NDArray[np.float32]  # [groups] log of how often the customer chooses there


@dataclass(frozen=True)
class LatentFactors:
    """How tastes are spread and what every article is to them. A cell is an index group in a period."""

    vectors: npt.NDArray[np.float32]  # [n, d]
    starts: npt.NDArray[np.int32]  # [periods] first day of each, oldest first; the last goes on
    middles: npt.NDArray[np.float32]  # [periods, groups, d] mean vector of what was bought
    spreads: npt.NDArray[np.float32]  # [periods, groups, d, d] its covariance
    prior_mean: npt.NDArray[np.float32]  # [d] of customers' tastes
    prior_precision: npt.NDArray[np.float32]  # [d, d]
    shares: npt.NDArray[np.float32]  # [groups] of the newest period's purchases

    def of(
        self,
        article: npt.NDArray[np.int32],
        day: npt.NDArray[np.int32],
        group: npt.NDArray[np.int32],
        product: npt.NDArray[np.int32],
    ) -> Taste:
        """The likeliest taste after some purchases, the first of each product: others were made when it was bought.

        Args:
            article: positions of what was bought, newest first, [k].
            day: of each purchase, [k].
            group: of all articles, [n].
            product: of all articles, [n].
        """
        periods, groups, dim = self.middles.shape
        first = np.unique(product[article[::-1]], return_index=True)[1]
        article, day = article[::-1][first], day[::-1][first]
        pull, precision = self.prior_precision @ self.prior_mean, self.prior_precision
        counts = np.bincount(group[article], minlength=groups)
        if article.size:
            period = np.maximum(np.searchsorted(self.starts, day, side="right") - 1, 0)
            choices = np.bincount(period * groups + group[article], minlength=periods * groups)
            cells = np.flatnonzero(choices)
            times = choices[cells].astype(np.float32)
            pull = pull + self.vectors[article].sum(axis=0) - times @ self.middles.reshape(-1, dim)[cells]
            precision = precision + (times @ self.spreads.reshape(-1, dim * dim)[cells]).reshape(dim, dim)
        mean = np.linalg.solve(precision, pull).astype(np.float32)
        # Of vectors spread like a normal distribution: the logarithm of the mean of exp(taste . vector).
        log_norms = self.middles[-1] @ mean + 0.5 * (self.spreads[-1] @ mean) @ mean
        shares = (counts + SHARE_SMOOTHING * self.shares) / (counts.sum() + SHARE_SMOOTHING)
        return Taste(mean, log_norms, np.log(shares + 1e-4).astype(np.float32))

    def save(self, path: Path) -> None:
        """Write one file."""
        np.savez(path, **{each.name: getattr(self, each.name) for each in fields(self)})

    @classmethod
    def load(cls, path: Path) -> LatentFactors | None:
        """Read what :meth:`save` wrote; None where it wrote nothing."""
        if not path.is_file():
            return None
        with np.load(path) as arrays:
            return cls(**arrays)
