"""Fits ``serving.retrieval.latent_factors``: how customers differ, article vectors, the spread of tastes.

All steps are sums over purchases and small linear systems:

1. Directions: what an article is (``content_columns``), seen from what its index group sold at the time, repeats itself
   from basket to basket of a customer in some directions and in others does not. The leading ones by the share of
   their variance that does become vectors, for articles never sold, too.
2. Expectation maximisation: every customer's likeliest taste and its uncertainty, then how tastes are spread.
3. An article that was bought moves, in these directions, to where its buyers' tastes are, the further the more bought
   it: where content is silent or wrong, buyers are believed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import linalg, sparse

from serving.retrieval.articles import ArticleTable
from serving.retrieval.latent_factors import GROUP, LatentFactors
from towers.data.purchase_log import PurchaseLog

DIM = 16
PERIOD_DAYS = 7
PERIOD_PURCHASES = 500
"""A period is of so many weeks that it has as many purchases: of fewer nobody can tell what was usual."""
RIDGE = 0.02
"""Of a column's mean variance, added to all: keeps a rare column from being a direction of its own."""
LEAST_SPREAD = 1e-3
VECTOR_EVIDENCE = 15.0
"""Squared tastes of buyers that count as no evidence: an article with fewer stays near what its content says."""
ROUNDS = (6, 2)
"""Of expectation maximisation, before and after articles have moved."""
MOST_PURCHASES = 2_000_000
"""The newest so many tell enough."""
CHUNK = 20_000


def fit_latent_factors(
    purchases: PurchaseLog, articles: ArticleTable, columns: npt.NDArray[np.float32], dim: int = DIM
) -> LatentFactors | None:
    """Fit to purchases; None where there are none.

    Args:
        purchases: from before the day that the tastes are for.
        articles: as of that day.
        columns: ``content_columns`` of all articles, [n, columns].
        dim: length of a taste.
    """
    if not len(purchases):
        return None
    choices = _Choices.of(purchases.newest(MOST_PURCHASES), articles)
    vectors, spread = _directions(choices, np.column_stack([columns, _relative_price(articles)]), dim)
    placed = _Articles.at(vectors, choices)
    prior = _maximise(choices, placed, _Prior(np.zeros(vectors.shape[1]), np.diag(spread)), ROUNDS[0])
    placed = _Articles.at(_moved(choices, placed, prior), choices)
    prior = _maximise(choices, placed, prior, ROUNDS[1])
    groups, width = len(choices.shares), vectors.shape[1]
    return LatentFactors(
        vectors=placed.vectors.astype(np.float32),
        starts=choices.starts,
        middles=placed.middles.reshape(-1, groups, width).astype(np.float32),
        spreads=placed.spreads.reshape(-1, groups, width, width).astype(np.float32),
        prior_mean=prior.mean.astype(np.float32),
        prior_precision=np.linalg.inv(prior.covariance).astype(np.float32),
        shares=choices.shares,
    )


class _Prior(NamedTuple):
    """How tastes are spread over customers."""

    mean: npt.NDArray[np.float64]  # [d]
    covariance: npt.NDArray[np.float64]  # [d, d]


@dataclass(frozen=True)
class _Choices:
    """Purchases as choices, the first of each customer and product: others were made when it was bought.

    A cell is an index group in a period.
    """

    starts: npt.NDArray[np.int32]  # [periods]
    cell_sales: sparse.csr_matrix  # [cells, n] share of each article in what the cell bought
    cell_sizes: npt.NDArray[np.float64]  # [cells] choices
    by_customer: sparse.csr_matrix  # [customers, n] 1 where chosen
    cells_by_customer: sparse.csr_matrix  # [customers, cells] choices
    by_basket: sparse.csr_matrix  # [baskets, n]
    cells_by_basket: sparse.csr_matrix  # [baskets, cells]
    basket_customer: npt.NDArray[np.int64]  # [baskets]
    shares: npt.NDArray[np.float32]  # [groups] of the newest period

    @classmethod
    def of(cls, purchases: PurchaseLog, articles: ArticleTable) -> _Choices:
        product, group = articles.product, articles.category(GROUP)
        pair = purchases.customer.astype(np.int64) * (int(product.max()) + 1) + product[purchases.article]
        first = np.unique(pair, return_index=True)[1]  # by customer
        article, day = purchases.article[first], purchases.day[first]
        customer = np.unique(purchases.customer[first], return_inverse=True)[1]
        starts = _period_starts(day)
        groups, size = len(articles.vocabularies[GROUP]), len(articles)
        period = np.maximum(np.searchsorted(starts, day, side="right") - 1, 0)
        cell, cells = period * groups + group[article], len(starts) * groups
        _, first_of_basket, basket = np.unique(
            customer * np.int64(1 << 32) + day, return_index=True, return_inverse=True
        )
        sales = _counts(cell, article, (cells, size))
        sizes = np.asarray(sales.sum(axis=1)).ravel()
        newest = sizes[-groups:]
        return cls(
            starts=starts,
            cell_sales=sparse.csr_matrix(sparse.diags(1.0 / np.maximum(sizes, 1.0)) @ sales),
            cell_sizes=sizes,
            by_customer=_counts(customer, article, (int(customer.max()) + 1, size)),
            cells_by_customer=_counts(customer, cell, (int(customer.max()) + 1, cells)),
            by_basket=_counts(basket, article, (len(first_of_basket), size)),
            cells_by_basket=_counts(basket, cell, (len(first_of_basket), cells)),
            basket_customer=customer[first_of_basket],
            shares=(newest / newest.sum()).astype(np.float32),
        )


@dataclass(frozen=True)
class _Articles:
    """Vectors of the articles, and what those of a cell's purchases are like."""

    vectors: npt.NDArray[np.float64]  # [n, d]
    middles: npt.NDArray[np.float64]  # [cells, d]
    spreads: npt.NDArray[np.float64]  # [cells, d, d]

    @classmethod
    def at(cls, vectors: npt.NDArray[np.float64], choices: _Choices) -> _Articles:
        middles = choices.cell_sales @ vectors
        spreads = np.zeros((*middles.shape, vectors.shape[1]))
        sales = choices.cell_sales
        for cell, (start, stop) in enumerate(zip(sales.indptr[:-1], sales.indptr[1:], strict=True)):
            off = vectors[sales.indices[start:stop]] - middles[cell]
            spreads[cell] = (off * sales.data[start:stop, None]).T @ off
        return cls(vectors, middles, spreads)


def _directions(
    choices: _Choices, columns: npt.NDArray[np.float32], dim: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Article vectors by content [n, d], and by how much tastes differ in each direction [d]."""
    middles = choices.cell_sales @ columns
    units = np.asarray(choices.by_customer.sum(axis=0)).ravel()
    total = (columns * units[:, None]).T @ columns - (middles * choices.cell_sizes[:, None]).T @ middles
    total = total.astype(np.float64) / units.sum()
    total += np.eye(len(total)) * (RIDGE * np.trace(total) / len(total) + 1e-6)

    # Products of any two purchases of one customer from different baskets; whoever bought much counts once.
    bought = np.asarray(choices.by_customer.sum(axis=1)).ravel()
    of_baskets = np.asarray(choices.by_basket.sum(axis=1)).ravel()
    weight = 1.0 / bought
    of_customer = weight[choices.basket_customer]
    shared = _scatter(choices.by_customer, choices.cells_by_customer, weight, columns, middles)
    shared -= _scatter(choices.by_basket, choices.cells_by_basket, of_customer, columns, middles)
    pairs = bought.sum() - (of_customer * of_baskets**2).sum()
    shared /= max(pairs, 1.0)

    width = min(dim, len(total))
    spread, directions = linalg.eigh(shared, total, subset_by_index=(len(total) - width, len(total) - 1))
    return columns @ directions, np.maximum(spread, LEAST_SPREAD)


def _scatter(
    bought: sparse.csr_matrix,
    cells: sparse.csr_matrix,
    weight: npt.NDArray[np.float64],
    columns: npt.NDArray[np.float32],
    middles: npt.NDArray[np.float32],
) -> npt.NDArray[np.float64]:
    """Sum over rows of weight times the outer square of the row's purchases, each seen from its cell's middle."""
    scatter = np.zeros((columns.shape[1], columns.shape[1]))
    for rows in _chunks(bought.shape[0]):
        off = bought[rows] @ columns - cells[rows] @ middles
        scatter += (off * weight[rows, None]).T @ off
    return scatter


def _maximise(choices: _Choices, articles: _Articles, prior: _Prior, rounds: int) -> _Prior:
    """How tastes are spread, by expectation maximisation."""
    for _ in range(rounds):
        mean, square = np.zeros_like(prior.mean), np.zeros_like(prior.covariance)
        for _, means, squares in _posteriors(choices, articles, prior):
            mean += means.sum(axis=0)
            square += squares.sum(axis=0)
        customers = choices.by_customer.shape[0]
        mean /= customers
        prior = _Prior(mean, square / customers - np.outer(mean, mean) + 1e-6 * np.eye(len(mean)))
    return prior


def _moved(choices: _Choices, articles: _Articles, prior: _Prior) -> npt.NDArray[np.float64]:
    """The vectors after one Newton step of each towards its buyers, held back as VECTOR_EVIDENCE says."""
    vectors, (cells, dim) = articles.vectors, articles.middles.shape
    pulled = np.zeros_like(vectors)
    taste, square = np.zeros((cells, dim)), np.zeros((cells, dim * dim))
    for rows, means, squares in _posteriors(choices, articles, prior):
        of_cells = choices.cells_by_customer[rows].T
        pulled += choices.by_customer[rows].T @ means
        taste += of_cells @ means
        square += of_cells @ squares.reshape(len(means), -1)
    at_middle = np.einsum("kij,kj->ki", square.reshape(-1, dim, dim), articles.middles)
    moved = vectors.copy()
    sold = np.flatnonzero(np.asarray(choices.by_customer.sum(axis=0)).ravel())
    for part in _chunks(len(sold)):
        these = sold[part]
        sales = choices.cell_sales[:, these].T.tocsr()  # how often each would be bought if tastes did not matter
        curvature = (sales @ square).reshape(-1, dim, dim)
        expected = sales @ (taste - at_middle) + np.einsum("aij,aj->ai", curvature, vectors[these])
        steps = np.linalg.solve(curvature + VECTOR_EVIDENCE * np.eye(dim), (pulled[these] - expected)[:, :, None])
        moved[these] += steps[:, :, 0]
    return moved


def _posteriors(
    choices: _Choices, articles: _Articles, prior: _Prior
) -> Iterator[tuple[slice, npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Chunk by chunk of customers: the likeliest tastes [c, d] and their expected outer squares [c, d, d]."""
    precision, dim = np.linalg.inv(prior.covariance), articles.vectors.shape[1]
    flat = articles.spreads.reshape(-1, dim * dim)
    for rows in _chunks(choices.by_customer.shape[0]):
        chosen = choices.cells_by_customer[rows]
        pull = choices.by_customer[rows] @ articles.vectors - chosen @ articles.middles + precision @ prior.mean
        covariance = np.linalg.inv((chosen @ flat).reshape(-1, dim, dim) + precision)
        means = np.einsum("cij,cj->ci", covariance, pull)
        yield rows, means, covariance + means[:, :, None] * means[:, None, :]


def _period_starts(day: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """First days of the periods, oldest first; what is left of purchases before the first belongs to it."""
    newest = int(day.max())
    starts, gathered = [], 0
    for weeks_ago, purchases in enumerate(np.bincount((newest - day) // PERIOD_DAYS).tolist()):
        gathered += purchases
        if gathered >= PERIOD_PURCHASES:
            starts.append(newest - (weeks_ago + 1) * PERIOD_DAYS + 1)
            gathered = 0
    return np.array(starts[::-1] or [int(day.min())], np.int32)


def _relative_price(articles: ArticleTable) -> npt.NDArray[np.float32]:
    """log of an article's mean price over what its type of product costs, [n]; 0 where not known."""
    with np.errstate(divide="ignore"):  # of what was only given away no price is known
        price = np.log(articles.sales_column("price_mean_micros"))
    kind = articles.category("product_type_name")
    known = np.isfinite(price)
    sums = np.bincount(kind[known], price[known], int(kind.max()) + 1)
    usual = sums / np.maximum(np.bincount(kind[known], minlength=len(sums)), 1)
    return np.where(known, price - usual[kind], 0.0).astype(np.float32)


def _counts(
    rows: npt.NDArray[np.integer], columns: npt.NDArray[np.integer], shape: tuple[int, int]
) -> sparse.csr_matrix:
    return sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=shape)


def _chunks(size: int) -> list[slice]:
    return [slice(start, min(start + CHUNK, size)) for start in range(0, size, CHUNK)]
