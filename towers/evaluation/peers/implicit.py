"""The library that shops take from the shelf: ``implicit`` (Ben Frederickson), its three usual models.

Each is fitted to all purchases before the day, customers x articles, and recommends what it will, already bought
articles included: repurchases count. Where it has nothing to say, the best sellers fill the list, as for every row.
"""

from __future__ import annotations

import importlib
import warnings
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from infra.base.errors import UserError
from towers.data.purchase_log import PurchaseLog
from towers.data.snapshot import Snapshot
from towers.evaluation.metrics import DEPTH
from towers.evaluation.peers.baselines import join_lists, popular, rank_by_popularity

Model = Literal["als", "bpr", "bm25"]

ALS = {"factors": 200, "alpha": 100.0, "regularization": 0.1}
BPR = {"factors": 128, "learning_rate": 0.1, "iterations": 200, "regularization": 0.001}
BM25 = {"K": 100, "B": 0.2}
"""Of several settings each the best on an earlier day of real purchases: with the library's own, the MAP of ALS is a
third and that of BPR a fifth."""
_CUSTOMERS_AT_ONCE = 500


def rank_by_implicit(
    model: Model, snapshot: Snapshot, purchases: PurchaseLog, log_customers: npt.NDArray[np.int32], seed: int
) -> npt.NDArray[np.int32]:
    """Fit a model and rank, [cases, DEPTH].

    Args:
        purchases: the log; what is dated before the snapshot's day is used.
        log_customers: the snapshot's customers as the log numbers them, -1 where it does not know them, [cases].
        seed: of the factors' first values.

    Raises:
        UserError: ``implicit`` is not installed.
    """
    from scipy import sparse
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    past, articles = purchases.before(snapshot.day), len(snapshot.articles)
    ranked = rank_by_popularity(snapshot, purchases)
    rest = popular(purchases, articles, snapshot.day)
    known = np.flatnonzero(snapshot.warm & (log_customers >= 0))
    if not len(past) or not len(known):
        return ranked
    shape = (int(purchases.customer.max()) + 1, articles)
    counts = sparse.csr_matrix((np.ones(len(past), np.float32), (past.customer, past.article)), shape=shape)
    # implicit runs its own threads; BLAS beside them only gets in their way. It warns of what it itself hands over.
    with threadpool_limits(1, "blas"), warnings.catch_warnings(action="ignore"):
        fitted = _fit(model, counts, seed)
        for start in range(0, len(known), _CUSTOMERS_AT_ONCE):
            cases = known[start : start + _CUSTOMERS_AT_ONCE]
            rows = log_customers[cases]
            found, scores = fitted.recommend(
                rows, counts[rows], N=min(DEPTH, articles), filter_already_liked_items=False
            )
            for case, positions, values in zip(cases, found, scores, strict=True):
                # A neighbourhood that ends early is filled up with zeros.
                kept = positions if model != "bm25" else positions[values > 0]
                ranked[case] = join_lists([kept.astype(np.int32), rest])
    return ranked


def _fit(model: Model, counts: Any, seed: int) -> Any:
    try:
        implicit = importlib.import_module("implicit")
        neighbours = importlib.import_module("implicit.nearest_neighbours")
    except ImportError:
        raise UserError(
            "the rows als, bpr and bm25 need the package implicit; install it with `pip install implicit`, "
            "or leave them out with --rows"
        ) from None
    if model == "als":
        fitted = implicit.als.AlternatingLeastSquares(**ALS, random_state=seed)
    elif model == "bpr":
        fitted = implicit.bpr.BayesianPersonalizedRanking(**BPR, random_state=seed)
    else:
        fitted = neighbours.BM25Recommender(**BM25)
    fitted.fit(counts, show_progress=False)
    return fitted
